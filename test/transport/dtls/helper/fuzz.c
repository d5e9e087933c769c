/*
 * Fuzz target for the two inputs of the DTLS helper, the stream of its parent and the datagrams of the network. With clang:
 *
 *     clang -g -D_GNU_SOURCE -DLIBFUZZER -fsanitize=fuzzer,address,undefined -o fuzz fuzz.c -lssl -lcrypto
 *
 * With gcc it makes its own inputs from a seed: `fuzz COUNT SEED`. The server is a real one in the same process; the first byte
 * of an input says what the other bytes are: a stream, a datagram, or changes to the datagrams of the server.
 */

#include <sys/socket.h>
#define main helper_main
#define connect fuzz_connect
static int fuzz_connect(int socket, const struct sockaddr *address, socklen_t length);
#include "../../../../src/transport/dtls/helper/firstlight-dtls.c"
#undef main
#undef connect
#include <stdint.h>
#include <stdlib.h>

enum { STREAM, HANDSHAKE, LINK, JUNK_IN_HANDSHAKE, JUNK_IN_LINK, MODES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int peer = -1;
static SSL_CTX *peer_context;
static SSL *server;
static X509 *certificate;
static EVP_PKEY *key;
static struct sockaddr_in here = {.sin_family = AF_INET};
static const unsigned char OPEN[] = "\0\0\1" "127.0.0.1\0localhost";
/* What the run has reached: links that came up, handshakes that failed, messages, broken streams. */
static unsigned long ups, failures, messages, broken;

/* Whatever the stream says, nothing leaves this process. */
static int fuzz_connect(int socket, const struct sockaddr *address, socklen_t length) {
  (void)address, (void)length;
  return connect(socket, (struct sockaddr *)&here, sizeof here);
}

static void must(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "violated: %s\n", what);
  abort();
}

static void make_peer(void) {
  socklen_t length = sizeof here;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  must(bind(peer, (struct sockaddr *)&here, sizeof here) == 0, "a port");
  getsockname(peer, (struct sockaddr *)&here, &length);
  key = EVP_EC_gen("P-256");
  certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  peer_context = SSL_CTX_new(DTLS_server_method());
  SSL_CTX_use_certificate(peer_context, certificate);
  SSL_CTX_use_PrivateKey(peer_context, key);
  SSL_CTX_set_session_id_context(peer_context, (const unsigned char *)"fuzz", 4);
}

/* A helper as after its start. */
static void start_again(void) {
  end_link();
  forget_session();
  SSL_CTX_free(context);
  must(make_context(), "a context");
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
  settings_fixed = settings_bad = is_up = false;
  session_name[0] = 0;
  input_length = output_length = 0;
}

static void open_to_peer(void) {
  struct sockaddr_in client;
  socklen_t length = sizeof client;
  unsigned char drained[2048];
  while (recv(peer, drained, sizeof drained, 0) >= 0);
  must(open_link(OPEN, sizeof OPEN - 1), "a well-formed O");
  must(ssl != NULL, "a link");
  getsockname(udp, (struct sockaddr *)&client, &length);
  SSL_free(server);
  server = SSL_new(peer_context);
  BIO *bio = BIO_new_dgram(peer, BIO_NOCLOSE);
  BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_PEER, 0, &client);
  SSL_set_bio(server, bio, bio);
  SSL_set_options(server, SSL_OP_NO_QUERY_MTU);
  DTLS_set_link_mtu(server, 1200);
  SSL_set_accept_state(server);
}

/* What the parent would read must be whole frames of known types. */
static void check_output(void) {
  size_t at = 0;
  while (at < output_length) {
    must(output_length - at >= HEADER && memchr("UFDX", output[at], 4) != NULL, "a known frame");
    size_t length = (size_t)output[at + 1] << 24 | (size_t)output[at + 2] << 16 | (size_t)output[at + 3] << 8 | output[at + 4];
    must(length <= MAX_PAYLOAD && at + HEADER + length <= output_length, "a whole frame");
    ups += output[at] == 'U';
    failures += output[at] == 'F' || output[at] == 'X';
    messages += output[at] == 'D';
    at += HEADER + length;
  }
  must(ssl != NULL || !is_up, "no link that is up without a session");
  output_length = 0;
}

/* Each change is three bytes: where (of 4,096), and what to do there. */
static size_t change(unsigned char *datagram, size_t length, const uint8_t **data, size_t *size) {
  for (int count = 0; count < 4 && *size >= 3 && length > 0; count += 1) {
    size_t at = (size_t)((*data)[0] << 4 | (*data)[1] >> 4) % length;
    unsigned what = (*data)[1] & 15, value = (*data)[2];
    *data += 3;
    *size -= 3;
    if (what < 6) datagram[at] = (unsigned char)value;
    else if (what < 10) datagram[at] ^= (unsigned char)(1u << (value & 7));
    else if (what < 12) length = at;
    else if (what < 13 && length + value <= MAX_DATAGRAM) {
      memset(datagram + length, (int)value, value);
      length += value;
    } else if (what < 14) break;
  }
  return length;
}

/* Server and client in turns; the datagrams of the server are changed as long as there are changes. */
static void pump(const uint8_t *data, size_t size) {
  static unsigned char datagram[MAX_DATAGRAM];
  static char plain[2048];
  for (int round = 0; round < 4 && ssl != NULL; round += 1) {
    ERR_clear_error();
    if (SSL_in_init(server)) SSL_do_handshake(server);
    if (!SSL_in_init(server)) {
      int length = SSL_read(server, plain, sizeof plain);
      if (length > 0) SSL_write(server, plain, length);
    }
    ssize_t length;
    while (ssl != NULL && (length = recv(udp, datagram, sizeof datagram, 0)) >= 0)
      take_datagram(datagram, change(datagram, (size_t)length, &data, &size));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned char datagram[MAX_DATAGRAM];
  static bool was_stream;
  if (peer < 0) {
    make_peer();
    start_again();
  }
  if (size == 0) return 0;
  unsigned mode = data[0] % MODES;
  data += 1;
  size -= 1;
  if (mode == STREAM) {
    start_again();
    while (size > 0) {
      size_t part = size < sizeof input - input_length ? size : sizeof input - input_length;
      memcpy(input + input_length, data, part);
      input_length += part;
      data += part;
      size -= part;
      if (!take_frames()) {
        broken += 1;
        break;
      }
      check_output();
    }
    output_length = 0;
    was_stream = true;
    return 0;
  }
  if (was_stream) start_again();
  was_stream = false;
  bool on_link = mode == LINK || mode == JUNK_IN_LINK;
  if (!on_link || !is_up) {
    if ((size & 1) == 0) forget_session();
    open_to_peer();
    if (on_link) pump(NULL, 0);
    must(!on_link || is_up, "an undisturbed handshake succeeds");
  }
  if (mode == JUNK_IN_HANDSHAKE || mode == JUNK_IN_LINK) {
    size_t length = size < sizeof datagram ? size : sizeof datagram;
    memcpy(datagram, data, length);
    take_datagram(datagram, length);
  } else {
    if (is_up) SSL_write(ssl, "hello", 5);
    pump(data, size);
  }
  check_output();
  return 0;
}

#ifndef LIBFUZZER
static uint64_t state;

static unsigned draw(unsigned below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state >> 33) % below;
}

static size_t put_frame(unsigned char *to, char type, const void *payload, size_t length) {
  memcpy(to, (unsigned char[]){(unsigned char)type, 0, (unsigned char)(length >> 16), (unsigned char)(length >> 8),
                               (unsigned char)length}, HEADER);
  memcpy(to + HEADER, payload, length);
  return HEADER + length;
}

/* A stream of good frames, and then some damage. */
static size_t make_stream(unsigned char *to) {
  static char pem[2][2048];
  static size_t lengths[2];
  if (lengths[0] == 0) {
    BIO *text[2] = {BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(text[0], certificate);
    PEM_write_bio_PrivateKey(text[1], key, NULL, NULL, 0, NULL, NULL);
    for (int i = 0; i < 2; i += 1) {
      lengths[i] = (size_t)BIO_read(text[i], pem[i], sizeof pem[i]);
      BIO_free(text[i]);
    }
  }
  size_t length = 0;
  for (unsigned count = draw(6); count > 0; count -= 1) {
    unsigned what = draw(8);
    if (what == 0) length += put_frame(to + length, 'A', pem[0], lengths[0]);
    else if (what == 1) length += put_frame(to + length, 'C', pem[0], lengths[0]);
    else if (what == 2) length += put_frame(to + length, 'K', pem[1], lengths[1]);
    else if (what < 5) length += put_frame(to + length, 'O', OPEN, sizeof OPEN - 1);
    else if (what < 7) length += put_frame(to + length, 'D', pem[0], 1 + draw(1024) % lengths[0]);
    else length += put_frame(to + length, 'Q', "", 0);
  }
  for (unsigned count = draw(4); count > 0 && length > 0; count -= 1) to[draw((unsigned)length)] = (unsigned char)draw(256);
  return draw(8) == 0 && length > 0 ? draw((unsigned)length) : length;
}

int main(int argc, char **argv) {
  static unsigned char data[65536];
  unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
  state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2654435761u + 1 : 88172645463325252u;
  LLVMFuzzerTestOneInput(data, 0);
  for (unsigned long i = 0; i < count; i += 1) {
    /* Several of a kind, because each change of kind takes a new handshake. */
    static unsigned kind;
    if (i % 16 == 0) kind = draw(40);
    data[0] = kind < 5 ? STREAM : kind < 8 ? HANDSHAKE : kind < 24 ? LINK : kind < 27 ? JUNK_IN_HANDSHAKE : JUNK_IN_LINK;
    size_t length;
    if (data[0] == STREAM) {
      length = make_stream(data + 1);
    } else {
      length = draw(data[0] == HANDSHAKE || data[0] == LINK ? 30 : 600);
      for (size_t j = 0; j < length; j += 1) data[j + 1] = (unsigned char)draw(256);
      /* Half of the junk has the header of a record of either epoch. */
      if (length > 13 && data[0] >= JUNK_IN_HANDSHAKE && draw(2) == 0) {
        memcpy(data + 1, (unsigned char[]){(unsigned char)(20 + draw(4)), 0xfe, 0xfd, 0, (unsigned char)draw(2)}, 5);
        data[12] = (unsigned char)((length - 13) >> 8);
        data[13] = (unsigned char)(length - 13);
      }
    }
    LLVMFuzzerTestOneInput(data, length + 1);
  }
  printf("%lu inputs: %lu links up, %lu failed or ended, %lu messages, %lu broken streams\n", count, ups, failures, messages, broken);
  SSL_free(server);
  end_link();
  forget_session();
  SSL_CTX_free(context);
  SSL_CTX_free(peer_context);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return 0;
}
#endif
