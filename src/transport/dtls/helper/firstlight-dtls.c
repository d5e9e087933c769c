/*
 * firstlight-dtls: the DTLS 1.2 client of Firstlight, one process per coaps endpoint. OpenSSL does the cryptography.
 *
 * The parent talks to it over a stream socket, file descriptor 3, in frames: type (1 ASCII byte), length (4 bytes,
 * big-endian), payload. README.md beside this file has the frames. The end of the stream ends the process.
 *
 * Exit code 0: the parent closed the stream. 2: the parent broke the rules of the frames, or there is no parent. 3: the
 * parent speaks another version of the frames.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "development"
#endif
/* Of the frames: src/transport/dtls/helper-process.ts says what to change with it. */
#define PROTOCOL "1"

enum {
  PARENT = 3,
  HEADER = 5,
  MAX_PEM = 262144,
  MAX_PAYLOAD = 16384,
  MAX_CHAIN = 16000,     /* bytes of the server's certificates: a frame has room for them */
  MAX_MESSAGE = 1024,    /* bytes of plain text to the server: ThingsBoard drops longer ones without a word */
  MAX_DATAGRAM = 16384,
  MAX_NAME = 256,
  LINK_MTU = 1200,       /* Scandium drops a fragmented ClientHello */
  FLIGHT_US_MIN = 1000000,
  FLIGHT_US_MAX = 3000000,
  SESSION_SECONDS = 86400 /* then the certificate is verified again */
};

/* Fewer suites make a smaller ClientHello. CCM_8 is left out: 8 bytes do not authenticate enough. */
static const char SUITES[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                             "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                             "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-CCM";

struct der {
  int length;
  unsigned char bytes[MAX_CHAIN];
};

/* The stream. Room for two control frames is kept free in `output`, because only datagrams may be dropped. */
enum { CONTROL_ROOM = 2 * (HEADER + MAX_PAYLOAD) };
static unsigned char input[HEADER + MAX_PEM], output[65536];
static size_t input_length, output_length;

/* The settings, and the session that the next handshake resumes. */
static SSL_CTX *context;
static bool settings_fixed, settings_bad;
static SSL_SESSION *session;
static char session_name[MAX_NAME];
static time_t session_start;

/* The link. Without one, `ssl` is NULL and `udp` -1. */
static SSL *ssl;
static BIO *received;
static int udp = -1;
static bool is_up, wants_write;
static int held_alert; /* of an unfinished handshake: -1, or the number of an alert that anybody could have sent */
static char server_name[MAX_NAME];
static bool is_address;
static struct der leaf, issuer;

static size_t output_room(void) { return sizeof output - output_length; }

static void add(const void *bytes, size_t length) {
  if (length > output_room()) abort(); /* only a bug of this file leads here */
  memcpy(output + output_length, bytes, length);
  output_length += length;
}

/* The caller knows that there is room for the frame, whose payload it adds. */
static void begin_frame(char type, size_t length) {
  add((unsigned char[]){(unsigned char)type, 0, (unsigned char)(length >> 16), (unsigned char)(length >> 8),
                        (unsigned char)length}, HEADER);
}

static void add_der(const struct der *der) {
  add((unsigned char[]){(unsigned char)(der->length >> 8), (unsigned char)der->length}, 2);
  add(der->bytes, (size_t)der->length);
}

static void keep_der(struct der *der, const X509 *certificate) {
  unsigned char *end = der->bytes;
  int length = certificate == NULL ? 0 : i2d_X509(certificate, NULL);
  der->length = length > 0 && length <= MAX_CHAIN ? i2d_X509(certificate, &end) : 0;
}

static void forget_session(void) {
  SSL_SESSION_free(session);
  session = NULL;
}

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec;
}

static void end_link(void) {
  if (ssl == NULL) return;
  if (is_up) SSL_shutdown(ssl);
  /* OpenSSL takes a link without these marks for a broken one, and its session cannot be resumed. */
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
  ssl = NULL;
  if (udp >= 0) close(udp);
  udp = -1;
  ERR_clear_error();
}

/* Ends the link and reports why: X if it was up, F if it never was. */
static void fail(const char *code) {
  size_t length = strlen(code);
  if (is_up) {
    begin_frame('X', length);
    add(code, length);
  } else {
    if (leaf.length + issuer.length > MAX_CHAIN) issuer.length = 0;
    begin_frame('F', length + 5 + (size_t)leaf.length + (size_t)issuer.length);
    add(code, length + 1);
    add_der(&leaf);
    add_der(&issuer);
  }
  is_up = false;
  end_link();
}

static const char *error_name(int number) {
  const char *name = strerrorname_np(number);
  return name == NULL ? "PROTOCOL" : name;
}

static const char *alert_name(int number) {
  static char name[64];
  snprintf(name, sizeof name, "ALERT_%s", SSL_alert_desc_string_long(number));
  for (char *c = name; *c != 0; c += 1) {
    if (*c == ' ') *c = '_';
    else if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
  }
  return name;
}

static const char *verify_name(long code) {
  static char other[32];
  switch (code) {
#define NAME(name) case X509_V_ERR_##name: return #name
    NAME(UNABLE_TO_GET_ISSUER_CERT);
    NAME(CERT_SIGNATURE_FAILURE);
    NAME(CERT_NOT_YET_VALID);
    NAME(CERT_HAS_EXPIRED);
    NAME(ERROR_IN_CERT_NOT_BEFORE_FIELD);
    NAME(ERROR_IN_CERT_NOT_AFTER_FIELD);
    NAME(DEPTH_ZERO_SELF_SIGNED_CERT);
    NAME(SELF_SIGNED_CERT_IN_CHAIN);
    NAME(UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    NAME(UNABLE_TO_VERIFY_LEAF_SIGNATURE);
    NAME(CERT_CHAIN_TOO_LONG);
    NAME(INVALID_CA);
    NAME(PATH_LENGTH_EXCEEDED);
    NAME(INVALID_PURPOSE);
    NAME(CERT_UNTRUSTED);
    NAME(CERT_REJECTED);
    NAME(PERMITTED_VIOLATION);
    NAME(EXCLUDED_VIOLATION);
    NAME(HOSTNAME_MISMATCH);
    NAME(IP_ADDRESS_MISMATCH);
    NAME(EE_KEY_TOO_SMALL);
    NAME(CA_KEY_TOO_SMALL);
    NAME(CA_MD_TOO_WEAK);
#undef NAME
    default:
      snprintf(other, sizeof other, "CERTIFICATE_%ld", code);
      return other;
  }
}

/* Fails the link after a call of OpenSSL that returned `result`, unless the call only waits for the network. */
static void check_result(int result) {
  int number = errno;
  int error = SSL_get_error(ssl, result);
  unsigned long first = ERR_peek_error();
  int reason = ERR_GET_LIB(first) == ERR_LIB_SSL ? ERR_GET_REASON(first) : 0;
  wants_write = error == SSL_ERROR_WANT_WRITE && !is_up; /* on a link the datagram is lost, as on the way */
  if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) return;
  if (error == SSL_ERROR_ZERO_RETURN) return fail("CLOSE_NOTIFY");
  if (error == SSL_ERROR_SYSCALL && number != 0) return fail(error_name(number));
  forget_session();
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return fail(verify_name(SSL_get_verify_result(ssl)));
  fail(reason > SSL_AD_REASON_OFFSET ? alert_name(reason - SSL_AD_REASON_OFFSET) : "PROTOCOL");
}

static void handshake(void) {
  ERR_clear_error();
  errno = 0;
  int result = SSL_do_handshake(ssl);
  if (result != 1) return check_result(result);
  bool resumed = SSL_session_reused(ssl) == 1;
  keep_der(&leaf, SSL_get0_peer_certificate(ssl));
  if (!resumed) session_start = now();
  forget_session();
  session = SSL_get1_session(ssl);
  is_up = true;
  held_alert = -1;
  begin_frame('U', 1 + (size_t)leaf.length);
  add((unsigned char[]){resumed}, 1);
  add(leaf.bytes, (size_t)leaf.length);
}

/* Gives the parent the plain text of what has arrived. */
static void read_messages(void) {
  static unsigned char message[MAX_DATAGRAM];
  while (ssl != NULL && is_up) {
    ERR_clear_error();
    errno = 0;
    int length = SSL_read(ssl, message, sizeof message);
    if (length <= 0) return check_result(length);
    if (output_room() < HEADER + (size_t)length + CONTROL_ROOM) continue;
    begin_frame('D', (size_t)length);
    add(message, (size_t)length);
  }
}

static bool is_plaintext_alert(const unsigned char *bytes, size_t length) {
  return length >= 5 && bytes[0] == SSL3_RT_ALERT && bytes[3] == 0 && bytes[4] == 0;
}

static void take_datagram(const unsigned char *bytes, size_t length) {
  if (!is_up && is_plaintext_alert(bytes, length)) {
    if (length >= 15 && (bytes[13] == SSL3_AL_FATAL || bytes[14] == SSL_AD_CLOSE_NOTIFY)) held_alert = bytes[14];
    return;
  }
  held_alert = -1;
  BIO_write(received, bytes, (int)length);
  if (!is_up) handshake();
  read_messages();
}

static void read_socket(void) {
  static unsigned char datagram[MAX_DATAGRAM];
  for (int count = 0; count < 32 && ssl != NULL; count += 1) {
    ssize_t length = recv(udp, datagram, sizeof datagram, MSG_TRUNC);
    if (length >= 0) {
      if ((size_t)length <= sizeof datagram) take_datagram(datagram, (size_t)length);
    } else if (errno == EAGAIN || errno == EINTR) {
      return;
    } else {
      fail(error_name(errno));
    }
  }
}

/* Repeats a flight. An alert is believed if nothing else came until then: whoever forges one cannot end a handshake. */
static void run_timer(void) {
  struct timeval left;
  if (ssl == NULL) return;
  if (wants_write && !is_up) handshake();
  if (ssl == NULL || DTLSv1_get_timeout(ssl, &left) != 1 || left.tv_sec > 0 || left.tv_usec > 0) return;
  if (held_alert >= 0) {
    forget_session();
    return fail(alert_name(held_alert));
  }
  ERR_clear_error();
  errno = 0;
  int result = (int)DTLSv1_handle_timeout(ssl);
  if (result < 0) check_result(result);
}

/*
 * Microseconds until a flight is repeated: 1 s, then doubled, as RFC 6347 section 4.2.4.1 wants it, but not up to 60 s,
 * because then few repetitions would fit into the 20 s of the agent.
 */
static unsigned next_flight(SSL *link, unsigned last) {
  (void)link;
  return last == 0 ? FLIGHT_US_MIN : last < FLIGHT_US_MAX / 2 ? 2 * last : FLIGHT_US_MAX;
}

/* Milliseconds until `run_timer` has something to do, -1 if it has nothing. */
static int timer_ms(void) {
  struct timeval left; /* of the size that the libssl of this release was built with: build per release */
  if (ssl == NULL || DTLSv1_get_timeout(ssl, &left) != 1) return -1;
  /* OpenSSL measures with the wall clock, which may have been set back. */
  return left.tv_sec > 60 ? 60000 : (int)(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
}

/* If the certificate has any subjectAltName, OpenSSL may still take the common name; HTTPS does not, nor does this. */
static int on_verify(int ok, X509_STORE_CTX *store) {
  X509 *certificate = X509_STORE_CTX_get0_cert(store);
  STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
  if (ok == 1 && !is_address && X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0 &&
      X509_check_host(certificate, server_name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    ok = 0;
  }
  keep_der(&leaf, certificate);
  keep_der(&issuer, NULL);
  for (int i = 0; i < sk_X509_num(sent); i += 1) {
    X509 *other = sk_X509_value(sent, i);
    bool is_issuer = X509_cmp(other, certificate) != 0 && X509_check_issued(other, certificate) == X509_V_OK;
    if (is_issuer) keep_der(&issuer, other);
  }
  return ok;
}

static bool connect_socket(const char *address, unsigned port, BIO *sent) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM}, *found;
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  if (getaddrinfo(address, service, &hints, &found) != 0) {
    errno = EINVAL;
    return false;
  }
  /* A new socket for each handshake: libcoap ignores a ClientHello from a port that it knows. */
  udp = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool connected = udp >= 0 && connect(udp, found->ai_addr, found->ai_addrlen) == 0;
  if (connected) {
    BIO_set_fd(sent, udp, BIO_NOCLOSE);
    BIO_ctrl(sent, BIO_CTRL_DGRAM_SET_CONNECTED, 0, found->ai_addr);
  }
  freeaddrinfo(found);
  return connected;
}

static bool set_name(const char *name) {
  unsigned char address[16];
  X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
  is_address = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
  snprintf(server_name, sizeof server_name, "%s", name);
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1;
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* Payload: flags (bit 0: full handshake), port, address, NUL, name. False if it is malformed. */
static bool open_link(const unsigned char *payload, size_t length) {
  char address[MAX_NAME], name[MAX_NAME];
  if (length < 4) return false;
  const unsigned char *text = payload + 3, *end = payload + length, *split = memchr(text, 0, length - 3);
  if (split == NULL || split == text || split - text >= MAX_NAME) return false;
  size_t name_length = (size_t)(end - split - 1);
  if (name_length == 0 || name_length >= MAX_NAME || memchr(split + 1, 0, name_length) != NULL) return false;
  memcpy(address, text, (size_t)(split - text) + 1);
  memcpy(name, split + 1, name_length);
  name[name_length] = 0;

  end_link();
  is_up = wants_write = false;
  held_alert = -1;
  keep_der(&leaf, NULL);
  keep_der(&issuer, NULL);
  if (!settings_fixed && SSL_CTX_get0_certificate(context) != NULL && SSL_CTX_check_private_key(context) != 1) {
    settings_bad = true;
  }
  settings_fixed = true;
  if (settings_bad) {
    fail("SETTINGS");
    return true;
  }
  if ((payload[0] & 1) != 0 || strcmp(name, session_name) != 0 || now() - session_start >= SESSION_SECONDS) {
    forget_session();
  }
  snprintf(session_name, sizeof session_name, "%s", name);

  BIO *sent = BIO_new(BIO_s_datagram());
  ssl = SSL_new(context);
  received = BIO_new(BIO_s_mem());
  if (sent == NULL || ssl == NULL || received == NULL) {
    fputs("firstlight-dtls: out of memory\n", stderr);
    return false;
  }
  SSL_set_bio(ssl, received, sent);
  SSL_set_connect_state(ssl);
  DTLS_set_link_mtu(ssl, LINK_MTU);
  DTLS_set_timer_cb(ssl, next_flight);
  if (session != NULL) SSL_set_session(ssl, session);
  if (!set_name(name)) {
    fail("SETTINGS");
  } else if (!connect_socket(address, (unsigned)payload[1] << 8 | payload[2], sent)) {
    fail(error_name(errno));
  } else {
    handshake();
  }
  return true;
}

static void add_setting(char type, const unsigned char *pem, size_t length) {
  BIO *text = BIO_new_mem_buf(pem, (int)length);
  int count = 0;
  if (type == 'K') {
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, (char[]){""});
    count = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
  } else {
    for (X509 *each; (each = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL; count += 1) {
      bool taken = type == 'A'  ? X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each) == 1
                   : count == 0 ? SSL_CTX_use_certificate(context, each) == 1
                                : SSL_CTX_add1_chain_cert(context, each) == 1;
      X509_free(each);
      if (!taken) settings_bad = true;
    }
    /* A PEM that ends with anything but "no further certificate" is damaged. */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) settings_bad = true;
  }
  if (count == 0) settings_bad = true;
  BIO_free(text);
  ERR_clear_error();
}

/* What the parent wants. False if it broke the rules. */
static bool take_frame(char type, unsigned char *payload, size_t length) {
  switch (type) {
    case 'A':
    case 'C':
    case 'K':
      if (settings_fixed) return false;
      add_setting(type, payload, length);
      OPENSSL_cleanse(payload, length);
      return true;
    case 'O':
      return open_link(payload, length);
    case 'Q':
      end_link();
      is_up = false;
      return length == 0;
    case 'D':
      if (length == 0 || length > MAX_MESSAGE) return false;
      if (ssl == NULL || !is_up) return true;
      ERR_clear_error();
      errno = 0;
      int written = SSL_write(ssl, payload, (int)length);
      if (written <= 0) check_result(written);
      return true;
    default:
      return false;
  }
}

/* Takes the whole frames of `input` as long as `output` has room for the reply. False if the parent broke the rules. */
static bool take_frames(void) {
  size_t start = 0;
  while (input_length - start >= HEADER && output_room() >= CONTROL_ROOM) {
    unsigned char *frame = input + start;
    size_t length = (size_t)frame[1] << 24 | (size_t)frame[2] << 16 | (size_t)frame[3] << 8 | frame[4];
    size_t limit = memchr("ACK", frame[0], 3) != NULL ? MAX_PEM : memchr("ODQ", frame[0], 3) != NULL ? MAX_PAYLOAD : 0;
    if (limit == 0 || length > limit) return false;
    if (input_length - start < HEADER + length) break;
    if (!take_frame((char)frame[0], frame + HEADER, length)) return false;
    start += HEADER + length;
  }
  input_length -= start;
  memmove(input, input + start, input_length);
  return true;
}

/* True if the directory of the distribution has certificates by the hash of their names, read when needed. */
static bool has_hashed_certificates(void) {
  bool found = false;
  DIR *directory = opendir(X509_get_default_cert_dir());
  if (directory == NULL) return false;
  for (struct dirent *each; !found && (each = readdir(directory)) != NULL;)
    found = strlen(each->d_name) == 10 && strcmp(each->d_name + 8, ".0") == 0;
  closedir(directory);
  return found;
}

static bool make_context(void) {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
  context = SSL_CTX_new(DTLS_client_method());
  if (context == NULL || SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(context, SUITES) != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1) {
    return false;
  }
  /* No certificates are no error. The bundle in one file takes 60 ms and 0.8 MiB more. */
  if (has_hashed_certificates()) SSL_CTX_set_default_verify_dir(context);
  else SSL_CTX_set_default_verify_file(context);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, MAX_CHAIN);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
  ERR_clear_error();
  return true;
}

/* Sends and receives until the parent closes the stream. Returns the exit code. */
static int run(void) {
  for (;;) {
    struct pollfd fds[] = {{.fd = PARENT}, {.fd = udp, .events = POLLIN}};
    if (input_length < sizeof input && output_room() >= CONTROL_ROOM) fds[0].events |= POLLIN;
    if (output_length > 0) fds[0].events |= POLLOUT;
    if (wants_write) fds[1].events |= POLLOUT;
    if (poll(fds, 2, timer_ms()) < 0 && errno != EINTR) return 2;

    if (fds[1].revents != 0) read_socket();
    run_timer();
    bool is_over = false;
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
      ssize_t length = recv(PARENT, input + input_length, sizeof input - input_length, MSG_DONTWAIT);
      is_over = length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
      if (length > 0) input_length += (size_t)length;
    }
    if (!take_frames()) {
      fputs("firstlight-dtls: a frame of the parent is malformed\n", stderr);
      return 2;
    }
    if (is_over) return 0;
    ssize_t sent = output_length == 0 ? 0 : send(PARENT, output, output_length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      output_length -= (size_t)sent;
      memmove(output, output + sent, output_length);
    }
  }
}

int main(int argc, char **argv) {
  static const char argument[] = "--protocol=";
  struct sockaddr_storage name;
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    printf("firstlight-dtls " VERSION " (%s), protocol " PROTOCOL "\n", OpenSSL_version(OPENSSL_VERSION));
    return 0;
  }
  if (argc != 2 || strncmp(argv[1], argument, sizeof argument - 1) != 0 ||
      getsockname(PARENT, (struct sockaddr *)&name, &(socklen_t){sizeof name}) != 0) {
    fputs("firstlight-dtls: firstlight starts this program and talks to it over file descriptor 3\n", stderr);
    return 2;
  }
  if (strcmp(argv[1] + sizeof argument - 1, PROTOCOL) != 0) {
    fputs("firstlight-dtls " VERSION " speaks protocol " PROTOCOL "\n", stderr);
    return 3;
  }
  if (!make_context()) {
    fputs("firstlight-dtls: this libssl has no DTLS 1.2 with the necessary suites\n", stderr);
    return 2;
  }
  int code = run();
  end_link();
  forget_session();
  SSL_CTX_free(context);
  return code;
}
