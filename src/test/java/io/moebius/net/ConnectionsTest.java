package io.moebius.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which proxy an address is opened through, as the environment says it. */
class ConnectionsTest {

    private static final URI HUB = URI.create("https://hub.example.com/x");

    private static String through(String address, String... environment) {
        Map<String, String> variables = new HashMap<>();
        for (int i = 0; i < environment.length; i += 2) {
            variables.put(environment[i], environment[i + 1]);
        }
        return new Connections(variables).through(URI.create(address)).orElse("");
    }

    @Test
    void goesTheWayOfTheAddressesScheme() {
        String[] both = {"HTTPS_PROXY", "http://a:1", "HTTP_PROXY", "http://b:2"};
        assertThat(through("https://hub.example.com/x", both)).isEqualTo("a:1");
        assertThat(through("http://hub.example.com/x", both)).isEqualTo("b:2");
        assertThat(through("http://hub.example.com/x", "HTTPS_PROXY", "http://a:1")).isEmpty();
        assertThat(through("http://hub.example.com/x", "ALL_PROXY", "http://c:3")).isEqualTo("c:3");
        assertThat(through("http://hub.example.com/x")).isEmpty();
    }

    @Test
    void takesNamesInLowerCaseFirst() {
        assertThat(through(HUB.toString(), "https_proxy", "http://a:1", "HTTPS_PROXY", "http://b:2")).isEqualTo("a:1");
        assertThat(through(HUB.toString(), "https_proxy", "", "HTTPS_PROXY", "http://b:2")).isEmpty();
        assertThat(through(HUB.toString(), "HTTPS_PROXY", "http://b:2", "no_proxy", "", "NO_PROXY", "*")).isEqualTo("b:2");
    }

    @ParameterizedTest
    @CsvSource({
        "proxy, proxy:80", "proxy:3128, proxy:3128", "http://proxy:3128/, proxy:3128", "HTTP://proxy, proxy:80",
        "http://me:secret@proxy:3128, proxy:3128", "http://me@proxy, proxy:80", "http://[::1]:3128, [::1]:3128", "' http://proxy:1 ', proxy:1",
    })
    void readsAddressesOfProxies(String value, String proxy) {
        assertThat(through(HUB.toString(), "HTTPS_PROXY", value)).isEqualTo(proxy);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "https://me:secret@proxy:3128", "socks5://me:secret@proxy", "http://me:secret@", "http://me:secret@proxy:99999", "http://me:secret@proxy/path",
        "http://me:sec ret@proxy", "http://me:secret@pro xy\n", "me:secret#@proxy", "http://me:secret@proxy:0",
        "http://me:secret%40proxy:3128", "http://me:secret", "http:http://me:secret@proxy:1"})
    void refusesWhatIsNoneWithoutThePassword(String value) {
        assertThatThrownBy(() -> new Connections(Map.of("HTTPS_PROXY", value)).open(HUB)).isInstanceOf(IOException.class)
                .hasMessageStartingWith("HTTPS_PROXY, not shown").hasMessageContaining("allowed: an address like http://")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret", "sec ret", "\n"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "* ; true", "hub.example.com ; true", "HUB.example.COM ; true", "example.com ; true", ".example.com ; true", "*.example.com ; true",
        "other.com,example.com ; true", "other.com example.com ; true", "hub.example.com:443 ; true", "com ; true",
        "hub.example.com:80 ; false", "ample.com ; false", "xhub.example.com ; false", "other.com ; false", ", ; false", ". ; false", ":443 ; false",
    })
    void goesDirectlyWhereNoProxySaysSo(String list, boolean direct) {
        assertThat(through(HUB.toString(), "HTTPS_PROXY", "http://a:1", "NO_PROXY", list)).isEqualTo(direct ? "" : "a:1");
    }

    @Test
    void goesDirectlyToAddressesByNumber() {
        assertThat(through("http://10.0.0.7:8080/", "HTTP_PROXY", "http://a:1", "NO_PROXY", "10.0.0.7")).isEmpty();
        assertThat(through("http://10.0.0.7:8080/", "HTTP_PROXY", "http://a:1", "NO_PROXY", "10.0.0.7:8080")).isEmpty();
        assertThat(through("http://[::1]:8080/", "HTTP_PROXY", "http://a:1", "NO_PROXY", "fe80::1,::1")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.7, 10.0.0.0/8, true", "10.255.0.7, 10.0.0.0/8, true", "11.0.0.7, 10.0.0.0/8, false", "0.0.0.7, 10/8, false", "10.0.0.7, '11.0.0.0/8,10.0.0.0/8', true",
        "192.168.1.130, 192.168.1.128/25, true", "192.168.1.127, 192.168.1.128/25, false", "10.0.0.7, 10.0.0.7/32, true", "10.0.0.7, 0.0.0.0/0, true",
        "10.0.0.7, 10.0.0.0/8:8080, true", "10.0.0.7, 10.0.0.0/8:8081, false", "[fd00::7], fd00::/8, true", "[fe80::7], fd00::/8, false",
        "[::1], 0.0.0.0/0, false", "10.0.0.7, ::/0, false", "hub.example.com, 0.0.0.0/0, false", "10.0.0.7, 10.0.0.0/33, false", "10.0.0.7, 10.0.0.0/-1, false",
        "10.0.0.7, 10.0.0.0/, false", "10.0.0.7, /8, false", "10.0.0.7, example.com/8, false", "10.0.0.7, 10.0.0.0/4294967288, false",
    })
    void goesDirectlyToRangesOfAddresses(String host, String list, boolean direct) {
        assertThat(through("http://" + host + ":8080/", "HTTP_PROXY", "http://a:1", "NO_PROXY", list)).isEqualTo(direct ? "" : "a:1");
    }

    @Test
    void neverShowsThePassword() throws IOException {
        assertThat(ProxyAddress.parse("HTTPS_PROXY", "http://me:secret@proxy:1").toString()).isEqualTo("proxy:1");
        assertThat(new Connections(Map.of("HTTPS_PROXY", "http://me:secret@proxy:1")).toString()).doesNotContain("secret");
    }
}
