/* What reader and writer of queue files share; see queue-file-format.h. */

#include "common/mail/queue-file-format.h"

#include "common/mail/queue-file.h"

uint32_t queue_format_checksum(uint8_t type, const uint8_t *payload, size_t len) {
        size_t mutable_bytes = type == QUEUE_FORMAT_RECIPIENT ? QUEUE_FORMAT_RCPT_MUTABLE : 0;
        uint8_t head[5];
        uint32_t crc;

        head[0] = type;
        queue_format_put32(head + 1, (uint32_t)len);
        crc = crc32c(0, head, sizeof(head));
        if (len > mutable_bytes)
                crc = crc32c(crc, payload + mutable_bytes, len - mutable_bytes);
        return crc;
}

uint32_t queue_format_slot_checksum(const uint8_t *slot) {
        return crc32c(0, slot + QUEUE_FORMAT_SLOT_OWNER,
                      QUEUE_FORMAT_SLOT_BYTES - QUEUE_FORMAT_SLOT_OWNER);
}

bool queue_format_slot_is_valid(const uint8_t *slot, uint64_t owner) {
        return queue_format_get64(slot + QUEUE_FORMAT_SLOT_OWNER) == owner &&
               queue_format_get32(slot + QUEUE_FORMAT_SLOT_CHECKSUM) ==
                       queue_format_slot_checksum(slot);
}

bool queue_format_text_is_valid(Str text, size_t max) {
        if (text.len > max)
                return false;
        for (size_t i = 0; i < text.len; i++)
                if (ascii_is_control(text.data[i]))
                        return false;
        return true;
}

bool queue_format_state_is_valid(uint8_t byte) {
        return byte == RECIPIENT_TODO || byte == RECIPIENT_SENT || byte == RECIPIENT_FAILED ||
               byte == RECIPIENT_RETURNED;
}

bool queue_format_get_texts(const uint8_t *lengths, const uint8_t *texts, size_t len, Str ret[3]) {
        size_t used = 0;

        for (int i = 0; i < 3; i++) {
                size_t n = queue_format_get16(lengths + 2 * i);

                if (n > len - used)
                        return false;
                ret[i] = str_from((const char *)texts + used, n);
                used += n;
        }
        return used == len;
}

size_t queue_format_put_texts(uint8_t *lengths, uint8_t *texts, const Str text[3]) {
        size_t used = 0;

        for (int i = 0; i < 3; i++) {
                queue_format_put16(lengths + 2 * i, (uint16_t)text[i].len);
                if (text[i].len > 0)
                        memcpy(texts + used, text[i].data, text[i].len);
                used += text[i].len;
        }
        return used;
}
