package io.moebius.launch;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * What is seen on stderr while the program starts: phases with progress, one line for a failure, the summary. Where logs are JSON,
 * these are log records too, so that every line can be parsed.
 */
@Singleton
final class Console {

    /** The category of the log records. */
    private static final String CATEGORY = "moebius";

    private static final PrintStream ERR = System.err;
    static final boolean TERMINAL = isTerminal();
    private static final int BAR = 12;
    private static final String CLEAR = "\r\033[K";
    /** Cuts at a terminal's edge what would be wrapped, and then could not be drawn over. */
    private static final String CUT = "\033[?7l%s\033[?7h";
    private static final String DOWNLOADING = "downloading";

    private final boolean json;
    private String phase = "";
    private int shown = -1;
    private String shownDetail = "";

    @Inject
    Console(Settings settings) {
        this(settings.required(ServerFlags.LOG_FORMAT).equals("json"));
    }

    Console(boolean json) {
        this.json = json;
    }

    /** Of stderr itself: a shell that takes the output of a tool leaves it stderr. */
    private static boolean isTerminal() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString().matches("/dev/(pts/\\d+|tty.*|console)");
        } catch (IOException noProc) {
            return false;
        }
    }

    /** A failure before the settings are known. */
    static void error(String message) {
        ERR.println("moebius: " + message.lines().findFirst().orElse(""));
    }

    /** A warning of a tool. */
    static void note(String message) {
        ERR.println("  warning: " + message);
    }

    static String firstLine(Throwable failure) {
        String message = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
        return message.lines().findFirst().orElse("");
    }

    /** The last phase of a tool ends. */
    synchronized void done() {
        finish();
        shown = -1;
    }

    /** Something to be read that is neither progress nor failure. */
    synchronized void show(String text) {
        if (json) {
            log(System.Logger.Level.INFO, text.strip().replaceAll(" +", " "));
            return;
        }
        finish();
        shown = -1;
        ERR.print(text);
    }

    synchronized void warn(String message) {
        if (json) {
            log(System.Logger.Level.WARNING, message);
            return;
        }
        finish();
        shown = -1;
        note(message);
    }

    synchronized void failed(String message) {
        if (json) {
            log(System.Logger.Level.ERROR, message);
        } else {
            finish();
            error(message);
        }
    }

    private static void log(System.Logger.Level level, String message) {
        System.getLogger(CATEGORY).log(level, message);
    }

    /** A new phase begins. */
    synchronized void phase(String name) {
        finish();
        phase = name;
        shown = -1;
        if (json) {
            log(System.Logger.Level.INFO, name);
            return;
        }
        progress(0);
    }

    /** @param fraction of this phase, 0 to 1; a terminal shows a bar, a log file one line per phase */
    void progress(double fraction) {
        progress(fraction, "");
    }

    /** @param detail what is being done now; a log has a line for each */
    synchronized void progress(double fraction, String detail) {
        int percent = (int) (100 * fraction);
        if (percent == shown && detail.equals(shownDetail)) {
            return;
        }
        shownDetail = detail;
        if (json) {
            if (!detail.isEmpty()) {
                log(System.Logger.Level.INFO, "%s: %d %%, %s".formatted(phase, percent, detail));
            }
            shown = percent;
            return;
        }
        if (TERMINAL) {
            int filled = percent * BAR / 100;
            String line = "  %s [%s%s] %3d %%  %s".formatted(phase, "#".repeat(filled), ".".repeat(BAR - filled), percent, detail);
            ERR.print(CLEAR + CUT.formatted(line));
        } else if (!detail.isEmpty()) {
            ERR.println("  %s: %d %%, %s".formatted(phase, percent, detail));
        } else if (shown < 0) {
            ERR.println("  " + phase + " ...");
        }
        shown = percent;
    }

    /** A phase that there is only if something has to come. */
    synchronized void downloading(double fraction, String detail) {
        if (!phase.equals(DOWNLOADING)) {
            phase(DOWNLOADING);
        }
        progress(fraction, detail);
    }

    private void finish() {
        if (TERMINAL && shown >= 0) {
            ERR.print(CLEAR);
        }
    }

    synchronized void ready(Summary summary) {
        if (json) {
            log(System.Logger.Level.INFO, summary.line());
            return;
        }
        finish();
        shown = -1;
        ERR.print(summary.text());
        ERR.flush();
    }

    static String size(long bytes) {
        return String.format(Locale.ROOT, "%.1f %s", bytes / unit(bytes), unitName(bytes));
    }

    /** A part of a whole, in the whole's unit. */
    static String part(long bytes, long all) {
        return String.format(Locale.ROOT, "%.1f of %.1f %s", bytes / unit(all), all / unit(all), unitName(all));
    }

    private static double unit(long bytes) {
        return bytes >= 1L << 30 ? 1L << 30 : 1L << 20;
    }

    private static String unitName(long bytes) {
        return bytes >= 1L << 30 ? "GiB" : "MiB";
    }

    static String left(Duration time) {
        return time.toMinutes() < 2 ? time.toSeconds() + " s left" : time.toMinutes() + " min left";
    }
}
