/*
 * The coaps port of the sandbox: ends DTLS 1.2 for many clients, and forwards the plain datagrams of each from a UDP socket of
 * its own to the CoAP port. Behaves like ThingsBoard's Scandium: session IDs instead of tickets, a client certificate is
 * wanted but not necessary, its dates count and its issuer does not, long messages are dropped.
 *
 *     dtls-front ADDRESS PORT TO-ADDRESS TO-PORT CERTIFICATE-FILE KEY-FILE
 *
 * Prints "listening PORT", and for each handshake "client PORT full CERTIFICATE" or "client PORT resumed -", where PORT is
 * that of the client's plain socket and CERTIFICATE the Base64 of its DER, or "-". After each "client" line it waits for one
 * byte, so that its parent knows the client before the first datagram. The end of its standard input ends it.
 */

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MAX_CLIENTS = 512,
  MAX_DATAGRAM = 16384,
  MAX_MESSAGE = 1037, /* Scandium takes no longer one */
  MAX_DER = 8192,
  LINK_MTU = 1200,
  TICK_MS = 100, /* for repeated flights */
  HELLO_RANDOM = 27, /* offset in the datagram of a ClientHello: record and message header, version */
  RANDOM_BYTES = 32
};

struct client {
  SSL *ssl; /* NULL: the place is free */
  BIO *received;
  int plain;
  bool is_up;
  struct sockaddr_storage peer;
  socklen_t peer_length;
  unsigned char random[RANDOM_BYTES];
};

static struct client clients[MAX_CLIENTS];
static unsigned next_place;
static int udp;
static struct sockaddr_storage target;
static socklen_t target_length;
static SSL_CTX *context;
static BIO_METHOD *to_peer;

static int send_to_peer(BIO *bio, const char *bytes, int length) {
  struct client *client = BIO_get_data(bio);
  (void)!sendto(udp, bytes, (size_t)length, 0, (struct sockaddr *)&client->peer, client->peer_length);
  return length;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH ? 1 : command == BIO_CTRL_DGRAM_GET_MTU_OVERHEAD ? 48 : 0;
}

static void end_client(struct client *client) {
  if (client->ssl == NULL) return;
  SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* keeps its session */
  SSL_free(client->ssl);
  close(client->plain);
  client->ssl = NULL;
}

static struct client *find_client(const struct sockaddr_storage *peer, socklen_t length) {
  for (struct client *each = clients; each < clients + MAX_CLIENTS; each += 1) {
    if (each->ssl != NULL && each->peer_length == length && memcmp(&each->peer, peer, length) == 0) return each;
  }
  return NULL;
}

/* In the next place: the client that has it, the oldest one, is forgotten without a word. */
static struct client *add_client(const struct sockaddr_storage *peer, socklen_t length, const unsigned char *random) {
  struct client *client = &clients[next_place++ % MAX_CLIENTS];
  end_client(client);
  client->plain = socket(target.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client->plain < 0 || connect(client->plain, (struct sockaddr *)&target, target_length) != 0) return NULL;
  client->ssl = SSL_new(context);
  client->received = BIO_new(BIO_s_mem());
  BIO *sent = BIO_new(to_peer);
  BIO_set_data(sent, client);
  BIO_set_init(sent, 1);
  SSL_set_bio(client->ssl, client->received, sent);
  SSL_set_accept_state(client->ssl);
  DTLS_set_link_mtu(client->ssl, LINK_MTU);
  client->is_up = false;
  client->peer = *peer;
  client->peer_length = length;
  memcpy(client->random, random, RANDOM_BYTES);
  return client;
}

static unsigned port_of(int descriptor) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  char service[8] = "0";
  if (getsockname(descriptor, (struct sockaddr *)&name, &length) == 0)
    getnameinfo((struct sockaddr *)&name, length, NULL, 0, service, sizeof service, NI_NUMERICSERV);
  unsigned port = 0;
  sscanf(service, "%u", &port);
  return port;
}

/* The server knows a certificate only from a full handshake. Returns false if the parent is gone. */
static bool announce(const struct client *client) {
  static unsigned char der[MAX_DER], text[MAX_DER * 4 / 3 + 4];
  bool resumed = SSL_session_reused(client->ssl) == 1;
  X509 *certificate = resumed ? NULL : SSL_get0_peer_certificate(client->ssl);
  int length = certificate == NULL ? 0 : i2d_X509(certificate, NULL);
  unsigned char *end = der;
  memcpy(text, "-", 2);
  if (length > 0 && length <= MAX_DER) EVP_EncodeBlock(text, der, i2d_X509(certificate, &end));
  printf("client %u %s %s\n", port_of(client->plain), resumed ? "resumed" : "full", (const char *)text);
  fflush(stdout);
  return read(STDIN_FILENO, text, 1) == 1;
}

/* Goes on with the handshake, and forwards what has arrived. Returns false if the parent is gone. */
static bool advance(struct client *client) {
  static unsigned char message[MAX_DATAGRAM];
  int result = 1;
  ERR_clear_error();
  if (!client->is_up && (result = SSL_do_handshake(client->ssl)) == 1) {
    client->is_up = true;
    if (!announce(client)) return false;
  }
  while (client->is_up && (result = SSL_read(client->ssl, message, sizeof message)) > 0) {
    if (result <= MAX_MESSAGE) (void)!send(client->plain, message, (size_t)result, 0);
  }
  if (SSL_get_error(client->ssl, result) != SSL_ERROR_WANT_READ) end_client(client);
  return true;
}

static bool take_datagram(void) {
  static unsigned char datagram[MAX_DATAGRAM];
  struct sockaddr_storage peer = {0};
  socklen_t peer_length = sizeof peer;
  ssize_t length = recvfrom(udp, datagram, sizeof datagram, 0, (struct sockaddr *)&peer, &peer_length);
  if (length <= 0) return true;
  struct client *client = find_client(&peer, peer_length);
  const unsigned char *random = datagram + HELLO_RANDOM;
  bool is_hello = length > HELLO_RANDOM + RANDOM_BYTES && datagram[0] == SSL3_RT_HANDSHAKE && datagram[3] == 0 &&
                  datagram[4] == 0 && datagram[13] == SSL3_MT_CLIENT_HELLO;
  /* A known address with a new hello has lost its link; with the same hello, the network has duplicated it. */
  if (is_hello && client != NULL && memcmp(client->random, random, RANDOM_BYTES) != 0) {
    end_client(client);
    client = NULL;
  }
  if (client == NULL && is_hello) client = add_client(&peer, peer_length, random);
  if (client == NULL) return true;
  BIO_write(client->received, datagram, (int)length);
  return advance(client);
}

static void take_reply(struct client *client) {
  static unsigned char message[MAX_DATAGRAM];
  ssize_t length = recv(client->plain, message, sizeof message, 0);
  if (length > 0 && client->is_up) SSL_write(client->ssl, message, (int)length);
}

/* As ThingsBoard: the dates of a client's certificate count, its issuer does not. */
static int verify_dates(X509_STORE_CTX *store, void *unused) {
  (void)unused;
  const X509 *certificate = X509_STORE_CTX_get0_cert(store);
  bool is_valid = X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
                  X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
  X509_STORE_CTX_set_error(store, is_valid ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return is_valid;
}

static bool resolve(const char *address, const char *port, struct sockaddr_storage *result, socklen_t *length) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM}, *found;
  if (getaddrinfo(address, port, &hints, &found) != 0) return false;
  memcpy(result, found->ai_addr, found->ai_addrlen);
  *length = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

static bool make_context(const char *certificate_file, const char *key_file) {
  context = SSL_CTX_new(DTLS_server_method());
  to_peer = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "to the peer");
  if (context == NULL || to_peer == NULL) return false;
  BIO_meth_set_write(to_peer, send_to_peer);
  BIO_meth_set_ctrl(to_peer, control);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"coaps", 5);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(context, verify_dates, NULL);
  return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+AESCCM") == 1 &&
         SSL_CTX_use_certificate_chain_file(context, certificate_file) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1;
}

static int run(void) {
  static struct pollfd fds[MAX_CLIENTS + 2];
  for (;;) {
    fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = udp, .events = POLLIN};
    for (unsigned i = 0; i < MAX_CLIENTS; i += 1)
      fds[i + 2] = (struct pollfd){.fd = clients[i].ssl == NULL ? -1 : clients[i].plain, .events = POLLIN};
    if (poll(fds, MAX_CLIENTS + 2, TICK_MS) < 0 && errno != EINTR) return 1;
    if (fds[0].revents != 0) return 0;
    for (unsigned i = 0; i < MAX_CLIENTS; i += 1) {
      if (clients[i].ssl != NULL && fds[i + 2].revents != 0) take_reply(&clients[i]);
      if (clients[i].ssl != NULL && !clients[i].is_up && DTLSv1_handle_timeout(clients[i].ssl) < 0) end_client(&clients[i]);
    }
    if (fds[1].revents != 0 && !take_datagram()) return 0;
  }
}

int main(int argc, char **argv) {
  struct sockaddr_storage address;
  socklen_t length;
  if (argc != 7 || !resolve(argv[1], argv[2], &address, &length) ||
      !resolve(argv[3], argv[4], &target, &target_length)) {
    fputs("usage: dtls-front ADDRESS PORT TO-ADDRESS TO-PORT CERTIFICATE-FILE KEY-FILE\n", stderr);
    return 2;
  }
  if (!make_context(argv[5], argv[6])) {
    ERR_print_errors_fp(stderr);
    return 1;
  }
  udp = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (udp < 0 || bind(udp, (struct sockaddr *)&address, length) != 0) {
    perror("dtls-front");
    return 1;
  }
  printf("listening %u\n", port_of(udp));
  fflush(stdout);
  return run();
}
