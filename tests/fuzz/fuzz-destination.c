/*
 * Any bytes as an alias's value and as a .forward: the walk ends, and what comes out has no
 * NUL, fits its bound, and only an address (the null one) is empty.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "services/local/destination.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(DestinationList list, size_t size) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(DESTINATION_MAX_BYTES);
        DestinationKind kind;
        size_t n = 0;
        int r;

        while ((r = destination_next(&list, &text, &kind)) != DESTINATION_E_END) {
                if (r < 0 || n++ > size)
                        abort();
                if (r != 0)
                        continue;
                if (str_contains(buf_str(&text), '\0'))
                        abort();
                if (kind == DESTINATION_ADDRESS
                            ? text.len > 0 && text.len <= ENVELOPE_ADDRESS_MAX &&
                                      !address_is_sane(buf_str(&text))
                            : text.len == 0)
                        abort();
                if (kind == DESTINATION_FILE && text.data[0] != '/')
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        walk(destination_list_of_value(str_from((const char *)data, size)), size);
        walk(destination_list_of_file(str_from((const char *)data, size)), size);
        return 0;
}
