package io.moebius.launch;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Parses the flags and runs the application until it is told to stop. */
@QuarkusMain
public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        try {
            switch (CommandLine.parse(arguments, System.getenv())) {
                case CommandLine.Request.Run(var subcommand, var options) -> {
                    InstalledFiles.find().ifPresent(InstalledFiles::useLibraries);
                    System.exit(run(subcommand, options));
                }
                case CommandLine.Request.HelpOn(var tools) ->
                    System.out.print(tools.stream().map(Help::on).collect(Collectors.joining("\n")));
                case CommandLine.Request.Help() -> System.out.print(Help.forTerminal());
                case CommandLine.Request.Version() -> System.out.println("moebius " + version());
                case CommandLine.Request.Serve(var values) -> {
                    Map<String, String> configuration = new HashMap<>(values);
                    boolean json = values.get(ServerFlags.LOG_FORMAT.key()).equals("json");
                    configuration.put("quarkus.log.console.json.enabled", Boolean.toString(json));
                    FlagSource.parsed(configuration);
                    InstalledFiles.find().ifPresent(InstalledFiles::useLibraries);
                    Quarkus.run(Lifecycle.class, (status, failure) -> exit(values, status, failure));
                }
            }
        } catch (StartException e) {
            Console.error(e.getMessage());
            System.exit(e.code().status());
        }
    }

    /** @throws StartException for whatever made it fail */
    private static int run(Subcommand subcommand, Subcommand.Options options) {
        try {
            return subcommand.action().run(options, new Subcommand.Shell(System.getenv(), System.in, System.out, System.err));
        } catch (RuntimeException | Error e) {
            System.getLogger(Main.class.getName()).log(System.Logger.Level.DEBUG, subcommand.words(), e);
            throw StartException.of(e);
        }
    }

    private static String version() {
        try (InputStream in = Main.class.getResourceAsStream("/moebius-version.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Quarkus could not start, or has ended. */
    private static void exit(Map<String, String> values, int status, Throwable failure) {
        if (failure == null) {
            System.exit(status);
        }
        Throwable root = failure;
        Throwable port = null;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            root = cause;
            boolean named = String.valueOf(cause.getMessage()).contains("already bound");
            port = named || port == null && cause instanceof BindException ? cause : port;
        }
        if (port != null) {
            Console.error("--web-server-port %s or --metrics-port %s cannot be opened (%s); free it or give another".formatted(
                    values.get(ServerFlags.WEB_SERVER_PORT.key()), values.get(ServerFlags.METRICS_PORT.key()), Console.firstLine(port)));
            end(ExitCode.PORT_IN_USE);
        }
        Console.error("the server could not start: " + Console.firstLine(root));
        end(ExitCode.FAILED);
    }

    /** At once: what Quarkus closes behind a start that failed has nothing to say to a person. */
    private static void end(ExitCode code) {
        Runtime.getRuntime().halt(code.status());
    }
}
