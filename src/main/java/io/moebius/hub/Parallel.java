package io.moebius.hub;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Runs tasks of a download side by side; the first that fails ends the others. */
final class Parallel {

    private Parallel() {}

    /** What a download does. */
    interface Task {
        void run() throws IOException, InterruptedException;
    }

    static void run(List<? extends Task> tasks, int atOnce) throws IOException, InterruptedException {
        try (ExecutorService threads = Executors.newFixedThreadPool(atOnce, Thread.ofPlatform().daemon().name("download-", 0).factory())) {
            ExecutorCompletionService<Void> running = new ExecutorCompletionService<>(threads);
            tasks.forEach(task -> running.submit(() -> {
                task.run();
                return null;
            }));
            try {
                for (int done = 0; done < tasks.size(); done++) {
                    running.take().get();
                }
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case HubException failure -> throw failure;
                    case IOException failure -> throw failure;
                    case InterruptedException failure -> throw failure;
                    default -> throw new IllegalStateException(e.getCause());
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }
}
