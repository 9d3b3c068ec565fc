package io.moebius.launch;

import io.moebius.launch.FlagType.Switch;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import io.moebius.hub.HubCache;
import io.moebius.license.Claims;
import io.moebius.license.LicenseException;
import io.moebius.license.Revocations;
import io.moebius.license.SecretSource;
import io.moebius.license.SigningKey;
import io.moebius.license.Verifier;
import io.moebius.net.Connections;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** {@code secret keygen}, {@code secret issue} and {@code secret inspect}. */
final class SecretTools {

    private static final int TRIAL_DAYS = 28;
    private static final int MOST_CHARACTERS = 8192;

    private static final Flag OUT = Flag.of("out", new Text("a folder"), null, "Where license-key.json and license-key.pub.json are written.");
    private static final Flag KEY = Flag.of("key", new Text("a file"), null, "The license-key.json to sign with.");
    private static final Flag CUSTOMER = Flag.of("customer", new Text("a name"), null, "Who the secret is for.");
    private static final Flag DAYS = Flag.of("days", new Whole(1, 36_500), null, "Days for which it is valid from now on.");
    private static final Flag TRIAL = Flag.of("trial", new Switch(), "false", "Valid for 28 days from now on.");
    private static final Flag NOT_BEFORE = Flag.of("not-before", new Text("a time like 2026-01-31T00:00:00Z"), null, "First moment; with --expires.");
    private static final Flag EXPIRES = Flag.of("expires", new Text("a time like 2026-12-31T00:00:00Z"), null, "Last moment; with --not-before.");
    private static final Flag DEVICES = Flag.of("devices", new Whole(1, 4096), "1", "Most devices that --num-devices may ask for.");

    static final Subcommand KEYGEN = new Subcommand("secret keygen", "", List.of(OUT),
            "Makes a key pair to sign container secrets with.", SecretTools::keygen);
    static final Subcommand ISSUE = new Subcommand("secret issue", "",
            List.of(KEY, CUSTOMER, DAYS, TRIAL, NOT_BEFORE, EXPIRES, DEVICES), "Prints a container secret.", SecretTools::issue);
    static final Subcommand INSPECT = new Subcommand("secret inspect", "", List.of(LicenseFlags.LICENSE_KEYS, LicenseFlags.LICENSE_REVOCATIONS),
            "Shows what the container secret of the environment, else of stdin, says; 0 means valid.", SecretTools::inspect);

    private SecretTools() {}

    private static int keygen(Subcommand.Options options, Subcommand.Shell shell) {
        Path folder = Path.of(options.required(OUT));
        try {
            SigningKey.generate(folder);
        } catch (FileAlreadyExistsException e) {
            throw usage("%s is there already; give an --out folder that holds no key".formatted(e.getMessage()));
        } catch (IOException e) {
            throw usage("the keys cannot be written: %s (%s); give an --out folder that may be written"
                    .formatted(e.getMessage(), e.getClass().getSimpleName()));
        }
        shell.errors().println("moebius: wrote license-key.json (keep it secret) and license-key.pub.json to " + folder);
        return ExitCode.OK.status();
    }

    private static int issue(Subcommand.Options options, Subcommand.Shell shell) {
        Instant now = Instant.ofEpochSecond(Instant.now().getEpochSecond());
        boolean span = options.text(NOT_BEFORE).isPresent() || options.text(EXPIRES).isPresent();
        if (Stream.of(options.text(DAYS).isPresent(), options.on(TRIAL), span).filter(given -> given).count() != 1) {
            throw usage("give one of --days N, --trial, and --not-before T with --expires T");
        }
        long days = options.on(TRIAL) ? TRIAL_DAYS : span ? 0 : options.whole(DAYS);
        Instant from = span ? time(options, NOT_BEFORE) : now;
        Instant until = span ? time(options, EXPIRES) : now.plus(Duration.ofDays(days));
        Claims claims;
        try {
            claims = new Claims(UUID.randomUUID().toString().replace("-", ""), options.required(CUSTOMER), now, from, until,
                    (int) options.whole(DEVICES));
        } catch (IllegalArgumentException e) {
            throw usage("--customer is one line of at most 200 characters, and --expires lies after --not-before");
        }
        try {
            shell.out().println(SigningKey.open(Path.of(options.required(KEY))).issue(claims));
            return ExitCode.OK.status();
        } catch (LicenseException e) {
            throw usage(e.getMessage());
        }
    }

    private static int inspect(Subcommand.Options options, Subcommand.Shell shell) {
        try {
            Verifier verifier = LicenseCheck.verifier(options.text(LicenseFlags.LICENSE_KEYS).map(Path::of), Clock.systemUTC());
            String secret = secret(shell);
            Claims claims = verifier.authentic(secret);
            shell.out().println("customer: %s%nid: %s%nissued: %s%nvalid from: %s%nexpires: %s%ndevices: %d".formatted(
                    claims.customer(), claims.id(), claims.issued(), claims.notBefore(), claims.expires(), claims.devices()));
            Revocations revoked = options.text(LicenseFlags.LICENSE_REVOCATIONS).isEmpty()
                    ? Revocations.NONE
                    : Revocations.read(
                            options.required(LicenseFlags.LICENSE_REVOCATIONS), HubCache.home(shell.environment()),
                            new Connections(shell.environment()));
            revoked.warning().ifPresent(Console::note);
            verifier.verify(secret, 1, revoked.ids());
            shell.out().println("valid: yes");
            return ExitCode.OK.status();
        } catch (LicenseException e) {
            throw new StartException(ExitCode.NO_LICENSE, e.getMessage());
        }
    }

    private static String secret(Subcommand.Shell shell) throws LicenseException {
        try {
            return SecretSource.read(shell.environment());
        } catch (LicenseException missing) {
            String given = missing.kind() == LicenseException.Kind.MISSING ? stdin(shell) : "";
            if (given.isEmpty()) {
                throw missing;
            }
            return given;
        }
    }

    private static String stdin(Subcommand.Shell shell) {
        try {
            return SecretSource.tidy(new String(shell.in().readNBytes(MOST_CHARACTERS), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw usage("stdin cannot be read: " + e.getMessage());
        }
    }

    private static Instant time(Subcommand.Options options, Flag flag) {
        try {
            return Instant.ofEpochSecond(Instant.parse(options.required(flag)).getEpochSecond());
        } catch (DateTimeException e) {
            throw usage("%s is \"%s\"; give %s".formatted(flag.option(), options.required(flag), flag.type().allowed()));
        }
    }

    private static StartException usage(String message) {
        return new StartException(ExitCode.USAGE, message);
    }
}
