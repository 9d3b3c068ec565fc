package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BodyRoomTest {

    private static final long MIB = 1 << 20;

    private final BodyRoom room = new BodyRoom(800 * MIB, 32 * MIB);

    private BodyRoom.Share share(long bytes) {
        BodyRoom.Share share = room.share();
        share.reach(bytes);
        return share;
    }

    private void refuses(long bytes, int status) {
        assertThatThrownBy(() -> share(bytes)).isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(status));
    }

    @Test
    void takesAnEighthOfTheHeapOfWhichLargeBodiesLeaveAnEighthToSmallOnes() {
        share(32 * MIB);
        share(32 * MIB);
        refuses(24 * MIB, 429);
        share(23 * MIB);
        refuses(MIB + 1, 429);
        for (int i = 0; i < 13; i++) {
            share(MIB);
        }
        refuses(MIB, 429);
        share(0);
    }

    @Test
    void hasRoomForOneOfTheLargestWhateverTheHeap() {
        BodyRoom.Share share = new BodyRoom(16 * MIB, 32 * MIB).share();
        share.reach(32 * MIB);
        assertThat(share.held()).isEqualTo(32 * MIB);
    }

    @Test
    void givesBackWhatABodyTookOnce() {
        BodyRoom.Share first = share(32 * MIB);
        share(32 * MIB);
        refuses(32 * MIB, 429);
        first.close();
        first.close();
        share(32 * MIB);
        refuses(32 * MIB, 429);
        assertThatThrownBy(first::grow).isInstanceOf(ApiException.class);
    }

    @Test
    void aBodyOfUnknownLengthGrowsToTheLargestAndNoFurther() {
        BodyRoom.Share share = share(0);
        while (share.held() < 32 * MIB) {
            share.grow();
        }
        assertThat(share.held()).isEqualTo(32 * MIB);
        assertThatThrownBy(share::grow).isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(413));
        refuses(32 * MIB + 1, 413);
    }

    @Test
    void manyBodiesOfUnknownLengthGetNoMoreThanThereIs() {
        List<BodyRoom.Share> bodies = Stream.generate(() -> share(0)).limit(150).toList();
        long whole = bodies.stream().filter(BodyRoomTest::growsToAMebibyte).count();
        assertThat(whole).isEqualTo(100);
        assertThat(room.taken()).isEqualTo(100 * MIB);
    }

    private static boolean growsToAMebibyte(BodyRoom.Share body) {
        try {
            while (body.held() < MIB) {
                body.grow();
            }
            return true;
        } catch (ApiException full) {
            body.close();
            return false;
        }
    }

    @Test
    void aBodyThatGrowsIsALargeOneFromItsSecondMebibyteOn() {
        share(32 * MIB);
        share(32 * MIB);
        share(23 * MIB);
        BodyRoom.Share growing = share(MIB);
        assertThatThrownBy(growing::grow).isInstanceOf(ApiException.class);
        assertThat(growing.held()).isEqualTo(MIB);
    }
}
