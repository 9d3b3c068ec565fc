package io.moebius.backend.cuda;

/** Single rows of activations, copied to others or to the host. */
final class RowCopies {

    private final Driver driver;
    private final Evaluation evaluation;
    private final long stream;
    private Driver.Pinned received;

    RowCopies(Driver driver, Evaluation evaluation, long stream) {
        this.driver = driver;
        this.evaluation = evaluation;
        this.stream = stream;
    }

    /** out[i] = x[rows[i]], neighbours in one copy. */
    void gather(CudaTensor x, int[] rows, CudaTensor out) {
        long from = evaluation.floats(x);
        ActivationBuffer to = out.buffer();
        evaluation.overwrite(to);
        long rowBytes = (long) Float.BYTES * x.columns();
        for (int begin = 0, end; begin < rows.length; begin = end) {
            for (end = begin + 1; end < rows.length && rows[end] == rows[end - 1] + 1;) {
                end++;
            }
            driver.copy(to.floatsAddress() + begin * rowBytes, from + rows[begin] * rowBytes, (end - begin) * rowBytes, stream);
        }
        to.floats = true;
    }

    /** Waits for all work. */
    void read(CudaTensor x, int row, float[] out) {
        int bytes = Float.BYTES * x.columns();
        long from = evaluation.floats(x) + (long) row * bytes;
        if (received == null || received.bytes().capacity() < bytes) {
            if (received != null) {
                driver.unpin(received);
            }
            received = driver.pin(bytes);
        }
        driver.download(received, from, bytes, stream);
        driver.synchronize(stream);
        received.bytes().clear().asFloatBuffer().get(out, 0, x.columns());
    }
}
