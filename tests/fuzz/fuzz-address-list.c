/*
 * Any bytes as a header address list: the walk ends, what comes out is sane, and it is a fixed
 * point: an address taken from a list gives itself when it is read as a list again.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/address.h"
#include "common/mail/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(Str address) {
        _cleanup_(buf_deinit) Buf again = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Str rest = address;

        if (!address_is_sane(address))
                abort();
        if (address_list_next(&rest, &again) != 0 || !str_equal(buf_str(&again), address))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Str rest = str_from((const char *)data, size), local, domain;
        size_t n = 0;
        int r;

        while ((r = address_list_next(&rest, &address)) != ADDRESS_E_END) {
                if (r == 0 && address.len > 0)
                        check_address(buf_str(&address));
                if (r < 0 || n++ > size)
                        abort();
        }
        (void)address_split(str_from((const char *)data, size), &local, &domain);
        (void)address_unquote_local(local, &address);
        return 0;
}
