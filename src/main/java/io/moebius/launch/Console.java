package io.moebius.launch;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.PrintStream;
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
    static final boolean TERMINAL = System.console() != null && System.console().isTerminal();
    private static final int BAR = 30;
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
            log(System.Logger.Level.INFO, text.strip());
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
            ERR.print("\r  %-24s [%s%s] %3d %% %-40s".formatted(phase, "#".repeat(filled), ".".repeat(BAR - filled), percent, detail));
        } else if (!detail.isEmpty()) {
            ERR.println("  %s: %d %%, %s".formatted(phase, percent, detail));
        } else if (shown < 0) {
            ERR.println("  " + phase + " ...");
        }
        shown = percent;
    }

    /** Of a tool, which has no such phase before the first bytes come. */
    synchronized void downloading(double fraction, String detail) {
        if (!phase.equals(DOWNLOADING)) {
            phase(DOWNLOADING);
        }
        progress(fraction, detail);
    }

    private void finish() {
        if (TERMINAL && shown >= 0) {
            ERR.print("\r" + " ".repeat(phase.length() + BAR + 60) + "\r");
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
        return bytes >= 1L << 30
                ? String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30))
                : String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20));
    }
}
