/*
 * A coaps server of Eclipse Californium with the DTLS settings of ThingsBoard (contract section 9). Resource `echo` answers a
 * POST with its payload, `certificate` tells whether the client has shown one. Beside them it has the device API of
 * ThingsBoard for one device, with a token in the path or with any client certificate.
 *
 *     java -cp JARS ScandiumServer.java CREDENTIALS.pem [PORT TOKEN ATTRIBUTES]
 *
 * The file has the certificate chain and the key. ATTRIBUTES: the shared ones, JSON. What it prints and reads is in
 * device-server.ts.
 */

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.Principal;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.CoapServer;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.MediaTypeRegistry;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.observe.ObserveRelation;
import org.eclipse.californium.core.server.resources.CoapExchange;
import org.eclipse.californium.core.server.resources.Resource;
import org.eclipse.californium.elements.auth.X509CertPath;
import org.eclipse.californium.elements.config.CertificateAuthenticationMode;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.util.SslContextUtil;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;
import org.eclipse.californium.scandium.dtls.x509.StaticNewAdvancedCertificateVerifier;

public class ScandiumServer {
  private static final int CHUNK_BYTES = 1024;
  private static volatile String attributes = "{}";
  private static volatile String command;

  private static synchronized void report(String what, CoapExchange exchange) {
    System.out.println(what + " " + exchange.getRequestText());
  }

  private static boolean isDevice(CoapExchange exchange) {
    return exchange.advanced().getRequest().getSourceContext().getPeerIdentity() instanceof X509CertPath;
  }

  /** What a device posts to and observes. Without a token in the path, only a certificate opens it. */
  private static class Feature extends CoapResource {
    private final boolean needsCertificate;

    Feature(String name, boolean needsCertificate) {
      super(name);
      this.needsCertificate = needsCertificate;
      setObservable(!name.equals("telemetry"));
      setObserveType(Type.CON);
    }

    @Override
    public Resource getChild(String id) {
      if (!getName().equals("rpc")) return null;
      return new CoapResource(id) {
        @Override
        public void handlePOST(CoapExchange exchange) {
          accept("reply " + id, exchange);
        }
      };
    }

    @Override
    public void handlePOST(CoapExchange exchange) {
      accept(getName(), exchange);
    }

    @Override
    public void handleGET(CoapExchange exchange) {
      if (needsCertificate && !isDevice(exchange)) {
        exchange.respond(ResponseCode.UNAUTHORIZED);
        return;
      }
      ObserveRelation relation = exchange.advanced().getRelation();
      boolean isObserved = exchange.getRequestOptions().hasObserve();
      boolean isNotification = relation != null && relation.isEstablished();
      if (getName().equals("rpc") && !isNotification) {
        exchange.respond(ResponseCode.VALID);
        report("observe", exchange);
        return;
      }
      Response response = new Response(isObserved ? ResponseCode.CONTENT : ResponseCode.NOT_FOUND);
      response.getOptions().setContentFormat(MediaTypeRegistry.APPLICATION_JSON);
      if (isObserved) response.setPayload(getName().equals("rpc") ? command : attributes);
      exchange.respond(response);
    }

    private void accept(String what, CoapExchange exchange) {
      boolean isAllowed = !needsCertificate || isDevice(exchange);
      if (isAllowed) report(what, exchange);
      exchange.respond(isAllowed ? ResponseCode.CREATED : ResponseCode.UNAUTHORIZED);
    }
  }

  private static int number(CoapExchange exchange, String name) {
    String value = exchange.getQueryParameter(name);
    return value == null ? 0 : Integer.parseInt(value);
  }

  /** Chunk n of a package has the bytes n, n + 1, n + 2 … */
  private static final class Software extends CoapResource {
    Software(String token) {
      super(token);
    }

    @Override
    public void handleGET(CoapExchange exchange) {
      exchange.accept();
      byte[] bytes = new byte[Math.min(number(exchange, "size"), CHUNK_BYTES)];
      for (int i = 0; i < bytes.length; i += 1) bytes[i] = (byte) (i + number(exchange, "chunk"));
      Response response = new Response(ResponseCode.CONTENT);
      response.setPayload(bytes);
      exchange.respond(response);
    }
  }

  private static CoapResource[] features(boolean needsCertificate) {
    return new CoapResource[] {
      new Feature("telemetry", needsCertificate),
      new Feature("attributes", needsCertificate),
      new Feature("rpc", needsCertificate)
    };
  }

  private static CoapResource provision(String token) {
    return new CoapResource("provision") {
      @Override
      public void handlePOST(CoapExchange exchange) {
        report("provision", exchange);
        String text = "{\"credentialsValue\":\"" + token + "\",\"credentialsType\":\"ACCESS_TOKEN\",\"status\":\"SUCCESS\"}";
        exchange.respond(ResponseCode.CREATED, text);
      }
    };
  }

  public static void main(String[] args) throws Exception {
    CoapConfig.register();
    DtlsConfig.register();
    Configuration settings = new Configuration();
    settings.set(DtlsConfig.DTLS_ROLE, DtlsConfig.DtlsRole.SERVER_ONLY);
    settings.set(DtlsConfig.DTLS_CLIENT_AUTHENTICATION_MODE, CertificateAuthenticationMode.WANTED);
    settings.set(DtlsConfig.DTLS_RETRANSMISSION_TIMEOUT, 9, TimeUnit.SECONDS);
    settings.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, 8);
    settings.set(DtlsConfig.DTLS_MAX_TRANSMISSION_UNIT, 1024);
    SslContextUtil.Credentials credentials = SslContextUtil.loadCredentials(args[0], null, null, null);
    int port = args.length > 1 ? Integer.parseInt(args[1]) : 0;
    DtlsConnectorConfig dtls = DtlsConnectorConfig.builder(settings)
        .setAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        .setCertificateIdentityProvider(new SingleCertificateProvider(
            credentials.getPrivateKey(), credentials.getCertificateChain(), CertificateType.X_509))
        .setAdvancedCertificateVerifier(
            StaticNewAdvancedCertificateVerifier.builder().setTrustAllCertificates().build())
        .build();
    CoapEndpoint endpoint =
        CoapEndpoint.builder().setConfiguration(settings).setConnector(new DTLSConnector(dtls)).build();
    CoapServer server = new CoapServer(settings);
    server.addEndpoint(endpoint);
    server.add(new CoapResource("echo") {
      @Override
      public void handlePOST(CoapExchange exchange) {
        exchange.respond(ResponseCode.CHANGED, exchange.getRequestPayload());
      }
    });
    server.add(new CoapResource("certificate") {
      @Override
      public void handleGET(CoapExchange exchange) {
        Principal client = exchange.advanced().getRequest().getSourceContext().getPeerIdentity();
        exchange.respond(client instanceof X509CertPath ? client.getName() : "none");
      }
    });
    CoapResource[] withToken = features(false);
    CoapResource[] withCertificate = features(true);
    if (args.length > 3) {
      attributes = args[3];
      CoapResource device = new CoapResource(args[2]);
      CoapResource version = new CoapResource("v1");
      CoapResource software = new CoapResource("sw");
      for (CoapResource each : withToken) device.add(each);
      for (CoapResource each : withCertificate) version.add(each);
      software.add(new Software(args[2]));
      server.add(new CoapResource("api").add(version.add(device, provision(args[2]))), software);
    }
    server.start();
    System.out.println("listening " + endpoint.getAddress().getPort());
    // The end of the input ends the server with its parent.
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null;) {
      boolean isCommand = line.startsWith("command ");
      String text = line.substring(line.indexOf(' ') + 1);
      if (isCommand) command = text;
      else attributes = text;
      withToken[isCommand ? 2 : 1].changed();
      withCertificate[isCommand ? 2 : 1].changed();
    }
    System.exit(0);
  }
}
