/*
 * Any bytes as a message with its envelope: sender, recipient and flags are the first lines. They
 * give exactly the header lines that were asked for, no more. The addresses that the message has
 * been at are those that a reader finds who has all of it at once.
 */

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/file.h"
#include "services/local/copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(Str text) {
        size_t n = 0;

        for (size_t i = 0; i < text.len; i++)
                n += text.data[i] == '\n';
        return n;
}

static void check_header(Str sender, Str recipient, unsigned flags) {
        Buf out _cleanup_(buf_deinit) = BUF_INIT(1 << 20);
        CopyEnvelope envelope = { sender, recipient, recipient, (usec_t)sender.len << 40, flags };
        size_t n_lines = 1 + !str_is_empty(recipient) + !!(flags & COPY_FROM_LINE) +
                         !!(flags & COPY_DELIVERED_TO);

        if (sender.len + recipient.len > (1 << 16))
                return;
        if (copy_append_header(&envelope, &out) != 0)
                abort();
        if (count_lines(buf_str(&out)) != n_lines || out.data[out.len - 1] != '\n')
                abort();
}

/* Without blocks, without limits. */
static bool has_line(Str content, Str address) {
        static const Str name = STR("Delivered-To:");
        Str line;

        while (str_next_part(&content, '\n', &line)) {
                if (line.len > COPY_HEADER_MAX)
                        continue; /* none of ours */
                if (str_is_empty(str_trim(line)))
                        return false;
                if (str_has_prefix_nocase(line, name) &&
                    str_equal_nocase(str_trim(str_skip(line, name.len)), address))
                        return true;
        }
        return false;
}

static void check_loop_stop(Str content, Str address) {
        static Copy memory;
        Buf list _cleanup_(buf_deinit) = BUF_INIT(COPY_LOOP_HEADER_MAX);
        Delivery delivery = { .request = { .content_size = content.len } };

        for (size_t i = 0; i < address.len; i++)
                if (ascii_is_control(address.data[i]))
                        return; /* written as '?' */
        delivery.message_fd = memfd_create("message", MFD_CLOEXEC);
        if (delivery.message_fd < 0 ||
            file_pwrite_all(delivery.message_fd, content.data, content.len, 0) != 0 ||
            copy_list_delivered_to(&delivery, &memory, &list) != 0)
                abort();
        (void)close(delivery.message_fd);
        if (!str_is_empty(address) &&
            copy_has_delivered_to(buf_str(&list), address) != has_line(content, address))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str content = str_from((const char *)data, size);
        Str sender = STR_NULL, recipient = STR_NULL, flags = STR_NULL;
        unsigned kinds;

        if (size > COPY_LOOP_HEADER_MAX)
                return 0;
        (void)str_next_part(&content, '\n', &sender);
        (void)str_next_part(&content, '\n', &recipient);
        (void)str_next_part(&content, '\n', &flags);
        check_header(sender, recipient, flags.len % 4);
        check_loop_stop(content, str_trim(recipient));
        (void)copy_parse_kinds(flags, &kinds);
        return 0;
}
