package io.moebius.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** Where other threads meet the engine's: it takes what they left here between steps, and parks here while idle. */
final class Entrance {

    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition allLeft = lock.newCondition();
    private final List<RunningSequence> arrivals = new ArrayList<>();
    private Engine.Load inside;
    private boolean draining;
    private boolean closed;

    /** @param capacity sequences here and inside, at most */
    Entrance(int capacity, Engine.Load inside) {
        this.capacity = capacity;
        this.inside = inside;
    }

    void arrive(RunningSequence sequence) {
        lock.lock();
        try {
            if (closed || draining) {
                throw new IllegalStateException("the engine is stopping and accepts no more sequences");
            }
            if (sequences() >= capacity) {
                throw new QueueFullException(sequences());
            }
            arrivals.add(sequence);
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    Engine.Load load() {
        lock.lock();
        try {
            return new Engine.Load(
                    inside.running(), inside.waiting() + arrivals.size(), inside.usedBlocks(), inside.totalBlocks());
        } finally {
            lock.unlock();
        }
    }

    boolean drain(Duration timeout) throws InterruptedException {
        lock.lock();
        try {
            draining = true;
            long left = TimeUnit.NANOSECONDS.convert(timeout);
            while (sequences() > 0 && left > 0) {
                left = allLeft.awaitNanos(left);
            }
            return sequences() == 0;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /** For the engine's thread: hands the arrivals over, waiting for some while nobody is inside; false once closed. */
    boolean meet(Scheduler scheduler, Consumer<RunningSequence> welcome) {
        lock.lock();
        try {
            inside = scheduler.load();
            while (!closed && sequences() == 0) {
                allLeft.signalAll();
                work.awaitUninterruptibly();
            }
            arrivals.forEach(scheduler::queue);
            arrivals.forEach(welcome);
            arrivals.clear();
            inside = scheduler.load();
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** For the engine's thread, once all have left for good. */
    void leave(Engine.Load last) {
        lock.lock();
        try {
            inside = last;
            allLeft.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private int sequences() {
        return inside.running() + inside.waiting() + arrivals.size();
    }
}
