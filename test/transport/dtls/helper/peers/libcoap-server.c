/*
 * A coaps server of libcoap with the device API of ThingsBoard (contract sections 1 to 7) for one device. Built twice, with
 * OpenSSL and with GnuTLS.
 *
 *     libcoap-server PORT CERTIFICATE KEY AUTHORITY TOKEN ATTRIBUTES
 *
 * The first four are a port of 127.0.0.1 and files. An empty TOKEN: the device has a client certificate of the authority.
 * ATTRIBUTES: the shared ones, JSON. What it prints and reads is in device-server.ts.
 */

#include <arpa/inet.h>
#include <coap3/coap.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JSON = 50, CHUNK_BYTES = 1024, TEXT_BYTES = 4096, TURN_MS = 20 };

static const char *token;
static char root[256], attributes_text[TEXT_BYTES], command_text[TEXT_BYTES];
static coap_resource_t *attributes, *rpc;

static void report(const char *what, const coap_pdu_t *request) {
  size_t length = 0, offset = 0, total = 0;
  const uint8_t *body = NULL;
  coap_get_data_large(request, &length, &body, &offset, &total);
  printf("%s %.*s\n", what, (int)length, body == NULL ? "" : (const char *)body);
  fflush(stdout);
}

static void respond(coap_pdu_t *response, coap_pdu_code_t code, const char *text) {
  uint8_t format[2];
  coap_pdu_set_code(response, code);
  if (text == NULL) return;
  coap_add_option(response, COAP_OPTION_CONTENT_FORMAT, coap_encode_var_safe(format, sizeof format, JSON), format);
  if (*text != 0) coap_add_data(response, strlen(text), (const uint8_t *)text);
}

static void on_post(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
                    const coap_string_t *query, coap_pdu_t *response) {
  (void)resource, (void)session, (void)query;
  char text[512];
  coap_string_t *path = coap_get_uri_path(request);
  snprintf(text, sizeof text, "%.*s", (int)path->length, (const char *)path->s);
  coap_delete_string(path);
  size_t length = strlen(root);
  const char *feature = strncmp(text, root, length) == 0 && text[length] == '/' ? text + length + 1 : "";
  if (*token != 0 && strcmp(text, "api/v1/provision") == 0) {
    report("provision", request);
    snprintf(text, sizeof text,
             "{\"credentialsValue\":\"%s\",\"credentialsType\":\"ACCESS_TOKEN\",\"status\":\"SUCCESS\"}", token);
    return respond(response, COAP_RESPONSE_CODE_CREATED, text);
  }
  if (strncmp(feature, "rpc/", 4) == 0) {
    char what[128];
    snprintf(what, sizeof what, "reply %s", feature + 4);
    report(what, request);
  } else if (strcmp(feature, "telemetry") == 0 || strcmp(feature, "attributes") == 0) {
    report(feature, request);
  } else {
    return respond(response, COAP_RESPONSE_CODE_UNAUTHORIZED, NULL);
  }
  respond(response, COAP_RESPONSE_CODE_CREATED, NULL);
}

static void on_get(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
                   const coap_string_t *query, coap_pdu_t *response) {
  (void)session, (void)query;
  coap_opt_iterator_t iterator;
  bool is_observed = coap_check_option(request, COAP_OPTION_OBSERVE, &iterator) != NULL;
  /* There is a command only while the observers of commands are notified. */
  if (resource == rpc && *command_text == 0) {
    respond(response, COAP_RESPONSE_CODE_VALID, NULL);
    report("observe", request);
  } else if (resource == rpc) respond(response, COAP_RESPONSE_CODE_CONTENT, command_text);
  else if (is_observed) respond(response, COAP_RESPONSE_CODE_CONTENT, attributes_text);
  else respond(response, COAP_RESPONSE_CODE_NOT_FOUND, "");
}

static unsigned number(const char *query, const char *name) {
  const char *found = strstr(query, name);
  return found == NULL ? 0 : (unsigned)strtoul(found + strlen(name), NULL, 10);
}

/* Chunk n of a package has the bytes n, n + 1, n + 2 … */
static void on_software(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
                        const coap_string_t *query, coap_pdu_t *response) {
  (void)resource, (void)session, (void)request;
  uint8_t bytes[CHUNK_BYTES];
  char text[512];
  snprintf(text, sizeof text, "%.*s", query == NULL ? 0 : (int)query->length, query == NULL ? "" : (const char *)query->s);
  unsigned size = number(text, "size="), chunk = number(text, "chunk=");
  if (size > CHUNK_BYTES) size = CHUNK_BYTES;
  for (unsigned i = 0; i < size; i += 1) bytes[i] = (uint8_t)(i + chunk);
  coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
  coap_add_data(response, size, bytes);
}

static coap_resource_t *add(coap_context_t *context, const char *path, coap_method_handler_t on_get_handler) {
  coap_str_const_t *name = coap_new_str_const((const uint8_t *)path, strlen(path));
  coap_resource_t *resource =
      coap_resource_init(name, COAP_RESOURCE_FLAGS_RELEASE_URI | COAP_RESOURCE_FLAGS_NOTIFY_CON);
  coap_register_handler(resource, COAP_REQUEST_GET, on_get_handler);
  coap_register_handler(resource, COAP_REQUEST_POST, on_post);
  coap_resource_set_get_observable(resource, 1);
  coap_add_resource(context, resource);
  return resource;
}

/* A line of the parent. */
static void take(coap_context_t *context, char *line) {
  char *text = strchr(line, ' ');
  if (text == NULL) return;
  bool is_command = strncmp(line, "command ", 8) == 0;
  snprintf(is_command ? command_text : attributes_text, TEXT_BYTES, "%s", text + 1);
  coap_resource_notify_observers(is_command ? rpc : attributes, NULL);
  coap_io_process(context, COAP_IO_NO_WAIT);
  command_text[0] = 0;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  token = argv[5];
  snprintf(root, sizeof root, *token == 0 ? "api/v1" : "api/v1/%s", token);
  snprintf(attributes_text, sizeof attributes_text, "%s", argv[6]);
  coap_startup();
  coap_context_t *context = coap_new_context(NULL);
  coap_context_set_block_mode(context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
  coap_dtls_pki_t pki = {.version = COAP_DTLS_PKI_SETUP_VERSION, .verify_peer_cert = *token == 0,
                         .check_common_ca = *token == 0};
  pki.pki_key.key_type = COAP_PKI_KEY_PEM;
  pki.pki_key.key.pem.public_cert = argv[2];
  pki.pki_key.key.pem.private_key = argv[3];
  pki.pki_key.key.pem.ca_file = argv[4];
  coap_address_t address;
  coap_address_init(&address);
  address.addr.sin.sin_family = AF_INET;
  address.addr.sin.sin_port = htons((uint16_t)atoi(argv[1]));
  address.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.size = sizeof address.addr.sin;
  if (!coap_context_set_pki(context, &pki) || coap_new_endpoint(context, &address, COAP_PROTO_DTLS) == NULL) return 1;

  char path[512];
  snprintf(path, sizeof path, "%s/attributes", root);
  attributes = add(context, path, on_get);
  snprintf(path, sizeof path, "%s/rpc", root);
  rpc = add(context, path, on_get);
  snprintf(path, sizeof path, "sw/%s", token);
  add(context, path, on_software);
  coap_resource_t *others = coap_resource_unknown_init(on_post);
  coap_register_handler(others, COAP_REQUEST_POST, on_post);
  coap_add_resource(context, others);

  printf("listening %s\n", argv[1]);
  fflush(stdout);
  static char input[2 * TEXT_BYTES];
  size_t length = 0;
  for (;;) {
    struct pollfd parent = {.fd = STDIN_FILENO, .events = POLLIN};
    coap_io_process(context, TURN_MS);
    if (poll(&parent, 1, 0) <= 0) continue;
    ssize_t count = read(STDIN_FILENO, input + length, sizeof input - 1 - length);
    /* The end of the input ends the server with its parent. */
    if (count <= 0) break;
    length += (size_t)count;
    input[length] = 0;
    for (char *end; (end = strchr(input, '\n')) != NULL;) {
      *end = 0;
      take(context, input);
      length -= (size_t)(end + 1 - input);
      memmove(input, end + 1, length + 1);
    }
  }
  coap_free_context(context);
  return 0;
}
