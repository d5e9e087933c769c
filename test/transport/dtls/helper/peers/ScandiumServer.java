/*
 * A coaps server of Eclipse Californium with the DTLS settings of ThingsBoard (contract section 9). Resource `echo` answers a
 * POST with its payload, `certificate` tells whether the client has shown one.
 *
 *     java -cp JARS ScandiumServer.java CREDENTIALS.pem
 *
 * The file has the certificate chain and the key. Prints "listening PORT".
 */

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.Principal;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.CoapServer;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.server.resources.CoapExchange;
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
    DtlsConnectorConfig dtls = DtlsConnectorConfig.builder(settings)
        .setAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
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
        exchange.respond(org.eclipse.californium.core.coap.CoAP.ResponseCode.CHANGED, exchange.getRequestPayload());
      }
    });
    server.add(new CoapResource("certificate") {
      @Override
      public void handleGET(CoapExchange exchange) {
        Principal client = exchange.advanced().getRequest().getSourceContext().getPeerIdentity();
        exchange.respond(client instanceof X509CertPath ? client.getName() : "none");
      }
    });
    server.start();
    System.out.println("listening " + endpoint.getAddress().getPort());
    // The end of the input ends the server with its parent.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
