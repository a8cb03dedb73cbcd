/* P-256's generator times a number, without ring's table of its multiples: 0.15 MB less.
 *
 * ring's own function is about four times as fast. lictor needs the curve for TLS to other servers alone,
 * where this is 0.03 ms of a handshake. The multiplication is ring's, in constant time; ring itself does
 * the same for P-384.
 */
#include <stdint.h>

typedef uint64_t number[4];

/* Version and all: the linker fails with another ring, of which these lines have to be read again. */
void ring_core_0_17_14__p256_point_mul(number result[3], const number factor, const number x, const number y);

void lictor_p256_point_mul_base(number result[3], const number factor)
{
    /* The generator of SP 800-186, times 2^256 as ring has its numbers, the lowest digits first. */
    static const number x = {
        0x79e730d418a9143c, 0x75ba95fc5fedb601, 0x79fb732b77622510, 0x18905f76a53755c6,
    };
    static const number y = {
        0xddf25357ce95560a, 0x8b4ab8e4ba19e45c, 0xd2e88688dd21f325, 0x8571ff1825885d85,
    };

    ring_core_0_17_14__p256_point_mul(result, factor, x, y);
}
