package io.moebius.policy;

import io.moebius.backend.Site;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** A process that writes into a policy folder: FOLDER KERNEL COUNT saves a choice at 1, 2, ... COUNT tokens, one after the other. */
final class PolicyWriter {

    static final Origin ORIGIN = new Origin("b1", "Toy CPU", 2, 0, 1, "toy", "fp8");

    private PolicyWriter() {}

    public static void main(String[] arguments) {
        PolicyFolder folder = new PolicyFolder(Path.of(arguments[0]));
        try {
            folder.check(ORIGIN);
            IntStream.rangeClosed(1, Integer.parseInt(arguments[2])).forEach(tokens -> folder.save(
                    ORIGIN, List.of(new Choice(new Site(arguments[1], "64 x 64"), tokens, "v1", 1, 2, "", 0, 0))));
        } catch (PolicyException e) {
            System.out.print(e.getMessage());
        }
    }
}
