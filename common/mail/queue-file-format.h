#pragma once

/*
 * The bytes of a queue file, for queue-file-*.c only; in words: man/unitpost-queue.5.
 * All integers are little-endian and unaligned. Every field has a fixed place in its record, so
 * that a reader checks lengths once per record and a mark is one pwrite(2) at a known offset.
 *
 *   preamble   64 bytes
 *   records    type(1) length(4) checksum(4) payload; content: type(1) length(8) checksum(4)
 *   END        a record without payload; "records_end" is the offset behind it
 *   slots      QUEUE_FORMAT_SLOT_BYTES each, at multiples of QUEUE_FORMAT_SLOT_ALIGN
 *
 * A record's checksum is over type, length and payload, without what is changed in place: the
 * first QUEUE_FORMAT_RCPT_MUTABLE bytes of a recipient's payload. The preamble's marks are changed
 * in place together with its checksum, in one write that no sector boundary divides.
 */

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/crc32c.h"
#include "common/base/str.h"
#include "common/mail/dsn.h"
#include "common/mail/envelope.h"

#define QUEUE_FORMAT_MAGIC       "UNITPOST"
#define QUEUE_FORMAT_MAGIC_BYTES 8
#define QUEUE_FORMAT_VERSION     1

#define QUEUE_FORMAT_WINDOW_BYTES (64 * 1024) /* of the writer's and the reader's buffer */

/* Offsets in the preamble. Magic, version and checksum keep their places in every version. */
enum {
        QUEUE_FORMAT_PRE_MAGIC = 0,
        QUEUE_FORMAT_PRE_VERSION = 8,         /* 32 bit */
        QUEUE_FORMAT_PRE_MARKS = 12,          /* 8 bit, QUEUE_FORMAT_MARK_*; changed in place */
        QUEUE_FORMAT_PRE_RECORDS_END = 16,    /* 64 bit */
        QUEUE_FORMAT_PRE_CONTENT_OFFSET = 24, /* 64 bit, of the content's first byte */
        QUEUE_FORMAT_PRE_CONTENT_SIZE = 32,   /* 64 bit */
        QUEUE_FORMAT_PRE_N_RECIPIENTS = 40,   /* 64 bit */
        QUEUE_FORMAT_PRE_CHECKSUM = 60,       /* 32 bit, over the 60 bytes before it */
        QUEUE_FORMAT_PRE_BYTES = 64,
};

/* What has become of the message as a whole: a set. A reader ignores what it does not know. */
enum {
        QUEUE_FORMAT_MARK_DELAY_NOTICED = 1 << 0,
};

/*
 * Record types. A reader that does not know a type of lower case skips the record; one of upper
 * case that it does not know makes the file unreadable.
 */
enum {
        QUEUE_FORMAT_ENVELOPE = 'V', /* the first record, exactly once */
        QUEUE_FORMAT_RECIPIENT = 'R',
        QUEUE_FORMAT_CONTENT = 'C', /* exactly once */
        QUEUE_FORMAT_END = 'E',     /* exactly once, last */
};

enum {
        QUEUE_FORMAT_HEAD_BYTES = 9,          /* type, length, checksum */
        QUEUE_FORMAT_CONTENT_HEAD_BYTES = 13, /* the content's length has 64 bits */
        QUEUE_FORMAT_PAYLOAD_MAX = 16 * 1024, /* of any record but the content */
};

/* Offsets in an envelope's payload; behind the fixed part sender, full name and envid. */
enum {
        QUEUE_FORMAT_ENV_ARRIVAL = 0,  /* 64 bit, microseconds since 1970 */
        QUEUE_FORMAT_ENV_UID = 8,      /* 32 bit */
        QUEUE_FORMAT_ENV_FLAGS = 12,   /* 32 bit */
        QUEUE_FORMAT_ENV_RET = 16,     /* 8 bit */
        QUEUE_FORMAT_ENV_LENGTHS = 17, /* three times 16 bit */
        QUEUE_FORMAT_ENV_FIXED = 23,
};

/* Offsets in a recipient's payload; behind the fixed part address, original and orcpt. */
enum {
        QUEUE_FORMAT_RCPT_STATE = 0,    /* 8 bit, RecipientState; changed in place */
        QUEUE_FORMAT_RCPT_SLOT = 1,     /* 64 bit, offset of the diagnosis or 0; changed in place */
        QUEUE_FORMAT_RCPT_MUTABLE = 9,  /* how much of the payload is changed in place */
        QUEUE_FORMAT_RCPT_NOTIFY = 9,   /* 8 bit */
        QUEUE_FORMAT_RCPT_LENGTHS = 10, /* three times 16 bit */
        QUEUE_FORMAT_RCPT_FIXED = 16,
};

/*
 * Offsets in a diagnosis slot; behind the fixed part code, relay and text without their NUL. The
 * checksum is over all of the slot behind it; the owner is the offset of the recipient's record.
 */
enum {
        QUEUE_FORMAT_SLOT_CHECKSUM = 0, /* 32 bit */
        QUEUE_FORMAT_SLOT_OWNER = 4,    /* 64 bit */
        QUEUE_FORMAT_SLOT_TIME = 12,    /* 64 bit, microseconds since 1970 */
        QUEUE_FORMAT_SLOT_STATUS = 20,  /* 8 bit, DsnStatus */
        QUEUE_FORMAT_SLOT_LENGTHS = 21, /* three times 16 bit */
        QUEUE_FORMAT_SLOT_FIXED = 27,
        QUEUE_FORMAT_SLOT_ALIGN = 64,
        QUEUE_FORMAT_SLOT_BYTES = 1344,
};

_Static_assert(QUEUE_FORMAT_SLOT_FIXED + DSN_CODE_MAX + DSN_RELAY_MAX + DSN_TEXT_MAX <=
                       QUEUE_FORMAT_SLOT_BYTES,
               "a whole Dsn fits into a slot");
_Static_assert(QUEUE_FORMAT_ENV_FIXED + ENVELOPE_ADDRESS_MAX + 2 * ENVELOPE_TEXT_MAX <=
                       QUEUE_FORMAT_PAYLOAD_MAX,
               "an envelope fits into a record");
_Static_assert(QUEUE_FORMAT_RCPT_FIXED + 3 * ENVELOPE_ADDRESS_MAX <= QUEUE_FORMAT_PAYLOAD_MAX,
               "a recipient fits into a record");

static inline uint16_t queue_format_get16(const uint8_t *p) {
        uint16_t value;

        memcpy(&value, p, sizeof(value));
        return le16toh(value);
}

static inline uint32_t queue_format_get32(const uint8_t *p) {
        uint32_t value;

        memcpy(&value, p, sizeof(value));
        return le32toh(value);
}

static inline uint64_t queue_format_get64(const uint8_t *p) {
        uint64_t value;

        memcpy(&value, p, sizeof(value));
        return le64toh(value);
}

static inline void queue_format_put16(uint8_t *p, uint16_t value) {
        value = htole16(value);
        memcpy(p, &value, sizeof(value));
}

static inline void queue_format_put32(uint8_t *p, uint32_t value) {
        value = htole32(value);
        memcpy(p, &value, sizeof(value));
}

static inline void queue_format_put64(uint8_t *p, uint64_t value) {
        value = htole64(value);
        memcpy(p, &value, sizeof(value));
}

/*
 * The checksum of a record (not of the content's) of TYPE with PAYLOAD, as stored in its head.
 */
uint32_t queue_format_checksum(uint8_t type, const uint8_t *payload, size_t len);

/* The checksum of a slot of QUEUE_FORMAT_SLOT_BYTES, and: is it whole and that of OWNER? */
uint32_t queue_format_slot_checksum(const uint8_t *slot);
bool queue_format_slot_is_valid(const uint8_t *slot, uint64_t owner);

/* May TEXT stand in a file: at most MAX bytes, no control byte? */
bool queue_format_text_is_valid(Str text, size_t max);

/* Is BYTE a RecipientState? */
bool queue_format_state_is_valid(uint8_t byte);

/*
 * Read three lengths of 16 bits at LENGTHS and the texts that lie behind each other from TEXTS
 * on, of which LEN bytes are there: they must fill it exactly.
 */
bool queue_format_get_texts(const uint8_t *lengths, const uint8_t *texts, size_t len, Str ret[3]);

/* The reverse: lengths to LENGTHS and texts to TEXTS; returns the bytes used at TEXTS. */
size_t queue_format_put_texts(uint8_t *lengths, uint8_t *texts, const Str text[3]);
