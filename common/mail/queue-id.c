/* Queue IDs; see queue-id.h for their form. */

#include "common/mail/queue-id.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define TIME_DIGITS   13
#define RANDOM_DIGITS 7
#define TIME_MASK     ((UINT64_C(1) << (4 * TIME_DIGITS)) - 1)
#define RANDOM_MASK   ((UINT32_C(1) << (4 * RANDOM_DIGITS)) - 1)

_Static_assert(TIME_DIGITS + RANDOM_DIGITS == QUEUE_ID_LEN, "an ID is time and random");

/*
 * IDs are no secret; they have to differ between processes that work in the same microsecond. So
 * it is no harm when the kernel has no random yet (early boot) and we make do.
 */
static uint32_t random_bits(void) {
        uint32_t bits;
        usec_t now;

        if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) == (ssize_t)sizeof(bits))
                return bits & RANDOM_MASK;
        now = clock_monotonic_usec();
        return ((uint32_t)getpid() * 2654435761U ^ (uint32_t)now * 40503U) & RANDOM_MASK;
}

QueueId queue_id_new(usec_t arrival_usec) {
        QueueId id;

        (void)snprintf(id.text, sizeof(id.text), "%013" PRIX64 "%07" PRIX32,
                       arrival_usec & TIME_MASK, random_bits());
        return id;
}

bool queue_id_parse(Str text, QueueId *ret) {
        if (text.len != QUEUE_ID_LEN)
                return false;
        for (size_t i = 0; i < text.len; i++)
                if (!ascii_is_digit(text.data[i]) && (text.data[i] < 'A' || text.data[i] > 'F'))
                        return false;
        memcpy(ret->text, text.data, QUEUE_ID_LEN);
        ret->text[QUEUE_ID_LEN] = '\0';
        return true;
}

usec_t queue_id_arrival_usec(const QueueId *id) {
        uint64_t usec = 0;

        (void)str_parse_hex_u64(str_from(id->text, TIME_DIGITS), TIME_MASK, &usec);
        return usec;
}
