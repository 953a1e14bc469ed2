/*
 * The checksum runs over 64-bit words; each step is a bijection of the state for a given word and
 * of the word for a given state, so that a change within any one word always shows. It guards
 * against decay and half-copied files, not against forgers: the file belongs to its owner.
 */

#include "common/mail/table-seal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/file.h"

typedef struct Seal {
        char magic[16];
        uint64_t content_bytes; /* little endian, like the next */
        uint64_t checksum;
} Seal;

static const char seal_magic[16] = "unitpost index 1";

static_assert(sizeof(Seal) == TABLE_SEAL_BYTES, "the seal is what man/unitpost-tables.5 says");

static uint64_t checksum_word(uint64_t sum, uint64_t word) {
        sum ^= word;
        sum = (sum << 23) | (sum >> 41);
        return sum * UINT64_C(0x9e3779b97f4a7c15);
}

/* The last word is filled up with zeroes. */
static uint64_t checksum(Str content) {
        uint64_t sum = content.len;
        uint64_t word;

        for (; content.len >= sizeof(word); content = str_skip(content, sizeof(word))) {
                memcpy(&word, content.data, sizeof(word));
                sum = checksum_word(sum, le64toh(word));
        }
        if (content.len > 0) {
                word = 0;
                memcpy(&word, content.data, content.len);
                sum = checksum_word(sum, le64toh(word));
        }
        return sum;
}

/* The file may not shrink meanwhile. */
static int checksum_file(int fd, size_t len, uint64_t *ret) {
        void *map = mmap(NULL, size_max(len, 1), PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

        if (map == MAP_FAILED)
                return -errno;
        *ret = checksum(str_from(map, len));
        (void)munmap(map, size_max(len, 1));
        return 0;
}

int table_seal_write(int fd) {
        Seal seal = { 0 };
        struct stat st;
        uint64_t sum = 0;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        r = checksum_file(fd, (size_t)st.st_size, &sum);
        if (r < 0)
                return r;
        memcpy(seal.magic, seal_magic, sizeof(seal.magic));
        seal.content_bytes = htole64((uint64_t)st.st_size);
        seal.checksum = htole64(sum);
        return file_pwrite_all(fd, &seal, sizeof(seal), st.st_size);
}

Str table_seal_find(Str file) {
        Str seal;

        if (file.len < sizeof(Seal))
                return STR_NULL;
        seal = str_skip(file, file.len - sizeof(Seal));
        return str_has_prefix(seal, str_from(seal_magic, sizeof(seal_magic))) ? seal : STR_NULL;
}

bool table_seal_is_right(Str file) {
        Str found = table_seal_find(file);
        Seal seal;

        if (str_is_empty(found))
                return false;
        memcpy(&seal, found.data, sizeof(seal));
        file.len -= sizeof(seal);
        return le64toh(seal.content_bytes) == file.len && le64toh(seal.checksum) == checksum(file);
}
