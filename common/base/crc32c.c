#include "common/base/crc32c.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

/*
 * The processor does it where it can: every message is read and checked about four times on its
 * way. Elsewhere eight bytes per step, by eight tables: tables[k][b] is the remainder of byte b
 * with k zero bytes behind it. 8 kB, filled at first use (a process has one thread), which costs
 * some microseconds.
 */

#define CRC32C_POLYNOMIAL 0x82f63b78U /* 0x1edc6f41 with its bits reversed */

static uint32_t tables[8][256];

static void fill_tables(void) {
        for (uint32_t byte = 0; byte < 256; byte++) {
                uint32_t crc = byte;

                for (int bit = 0; bit < 8; bit++)
                        crc = (crc >> 1) ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
                tables[0][byte] = crc;
        }
        for (int k = 1; k < 8; k++)
                for (uint32_t byte = 0; byte < 256; byte++)
                        tables[k][byte] =
                                (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
}

static uint32_t step_eight(uint32_t crc, const uint8_t *data) {
        uint64_t word;
        uint32_t result = 0;

        memcpy(&word, data, sizeof(word));
        word = le64toh(word) ^ crc;
        for (int k = 7; k >= 0; k--, word >>= 8)
                result ^= tables[k][word & 0xff];
        return result;
}

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t len) {
        if (tables[0][1] == 0)
                fill_tables();
        for (; len >= 8; len -= 8, p += 8)
                crc = step_eight(crc, p);
        for (; len > 0; len--, p++)
                crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
        return crc;
}

#ifdef __x86_64__

/* The instruction of SSE 4.2 knows just this polynomial. */
__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t crc, const uint8_t *p,
                                                               size_t len) {
        uint64_t wide = crc, word;

        for (; len >= 8; len -= 8, p += 8) {
                memcpy(&word, p, sizeof(word));
                wide = __builtin_ia32_crc32di(wide, word);
        }
        crc = (uint32_t)wide;
        for (; len > 0; len--, p++)
                crc = __builtin_ia32_crc32qi(crc, *p);
        return crc;
}

static bool processor_can(void) {
        return __builtin_cpu_supports("sse4.2");
}

#else

static uint32_t by_processor(uint32_t crc, const uint8_t *p, size_t len) {
        return by_tables(crc, p, len);
}

static bool processor_can(void) {
        return false;
}

#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len) {
        return ~(processor_can() ? by_processor(~crc, data, len) : by_tables(~crc, data, len));
}

uint32_t crc32c_by_tables(uint32_t crc, const void *data, size_t len) {
        return ~by_tables(~crc, data, len);
}
