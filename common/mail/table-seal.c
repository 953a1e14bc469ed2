/*
 * The checksum runs over 64-bit words; each step is a bijection of the state for a given word and
 * of the word for a given state, so that a change within any one word always shows. It guards
 * against decay and half-copied files, not against forgers: the file belongs to its owner.
 */

#include "common/mail/table-seal.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"

typedef struct Seal {
        char magic[16];
        uint64_t content_bytes; /* little endian, like the next */
        uint64_t checksum;
} Seal;

static const char seal_magic[16] = "unitpost index 1";

#define CHUNK_BYTES ((size_t)64 * 1024)

static uint64_t checksum_word(uint64_t sum, uint64_t word) {
        sum ^= word;
        sum = (sum << 23) | (sum >> 41);
        return sum * UINT64_C(0x9e3779b97f4a7c15);
}

/* LEN is a multiple of 8 but for the last chunk, which is filled up with zeroes. */
static uint64_t checksum_chunk(uint64_t sum, const char *data, size_t len) {
        uint64_t word;

        for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
                memcpy(&word, data, sizeof(word));
                sum = checksum_word(sum, le64toh(word));
        }
        if (len > 0) {
                word = 0;
                memcpy(&word, data, len);
                sum = checksum_word(sum, le64toh(word));
        }
        return sum;
}

static int checksum(int fd, uint64_t size_bytes, uint64_t *ret) {
        _cleanup_(freep) char *chunk = malloc(CHUNK_BYTES);
        uint64_t sum = size_bytes;

        if (!chunk)
                return -ENOMEM;
        for (uint64_t offset = 0; offset < size_bytes; offset += CHUNK_BYTES) {
                size_t len = size_bytes - offset < CHUNK_BYTES ? (size_t)(size_bytes - offset)
                                                               : CHUNK_BYTES;
                int r = file_pread_all(fd, chunk, len, (off_t)offset);

                if (r != 0)
                        return r == FILE_E_SHORT ? TABLE_SEAL_E_BROKEN : r;
                sum = checksum_chunk(sum, chunk, len);
        }
        *ret = sum;
        return 0;
}

int table_seal_write(int fd) {
        Seal seal = { 0 };
        struct stat st;
        uint64_t sum;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        r = checksum(fd, (uint64_t)st.st_size, &sum);
        if (r != 0)
                return r < 0 ? r : -EIO;
        memcpy(seal.magic, seal_magic, sizeof(seal.magic));
        seal.content_bytes = htole64((uint64_t)st.st_size);
        seal.checksum = htole64(sum);
        return file_pwrite_all(fd, &seal, sizeof(seal), st.st_size);
}

int table_seal_check(int fd) {
        struct stat st;
        uint64_t sum;
        Seal seal;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(seal))
                return TABLE_SEAL_E_BROKEN;
        r = file_pread_all(fd, &seal, sizeof(seal), st.st_size - (off_t)sizeof(seal));
        if (r != 0)
                return r < 0 ? r : TABLE_SEAL_E_BROKEN;
        if (memcmp(seal.magic, seal_magic, sizeof(seal.magic)) != 0 ||
            le64toh(seal.content_bytes) != (uint64_t)st.st_size - sizeof(seal))
                return TABLE_SEAL_E_BROKEN;
        r = checksum(fd, (uint64_t)st.st_size - sizeof(seal), &sum);
        if (r == 0 && sum != le64toh(seal.checksum))
                r = TABLE_SEAL_E_BROKEN;
        return r;
}
