package io.moebius.launch;

import io.moebius.launch.FlagType.Choice;
import io.moebius.launch.FlagType.ReadableFile;
import io.moebius.launch.FlagType.Switch;
import io.moebius.launch.FlagType.Whole;
import java.util.List;

/** Ports, requests and logs. */
final class ServerFlags {

    static final Flag WEB_SERVER_PORT =
            Flag.of("web-server-port", new Whole(0, 65535), "8000", "Port of the API; 0 takes a free one.");
    static final Flag METRICS_PORT =
            Flag.of("metrics-port", new Whole(0, 65535), "8281", "Port of /metrics for Prometheus.");
    static final Flag NUM_REQUEST_THREADS =
            Flag.of("num-request-threads", new Whole(1, 1024), "4", "Threads that read and write HTTP.");
    static final Flag TIMEOUT = Flag.of(
            "timeout-microseconds", new Whole(0, Long.MAX_VALUE / 1000), "0", "Longest time of a request before it gets 429; 0 is no limit.");
    static final Flag IGNORE_NAN_ERROR = Flag.of(
            "ignore-nan-error", new Switch(), "false", "Go on where the model computes a value that is not a number, instead of answering 400.");
    static final Flag DRAIN_TIMEOUT = Flag.of(
            "drain-timeout", new Whole(0, 86_400), "30", "Seconds that running requests get to finish after SIGTERM.");
    static final Flag LOG_FORMAT = Flag.of("log-format", new Choice("text", "json"), "text", "Form of the log lines on stderr.");
    static final Flag API_KEYS_FILE = Flag.of(
            "api-keys-file", new ReadableFile(), null,
            "Keys of those who may use the web port (keys add makes one); without it everybody may. It is read again when it changes.");
    static final Flag GRPC = Flag.notYet("grpc", new Switch(), "false", "Serve gRPC instead of HTTP.");

    static final List<Flag> ALL = List.of(
            WEB_SERVER_PORT, METRICS_PORT, NUM_REQUEST_THREADS, TIMEOUT, IGNORE_NAN_ERROR, DRAIN_TIMEOUT, LOG_FORMAT, API_KEYS_FILE,
            GRPC);

    private ServerFlags() {}
}
