/*
 * libidn2 is loaded when the first name needs it: next to no configuration has one, and every
 * start of every program would pay for it.
 */

#include "common/mail/domain-ascii.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 1024

/* idn2.h: idn2_lookup_u8(), and the one flag that is used here. */
typedef int (*LookupFunction)(const uint8_t *source, uint8_t **ret, int flags);
#define NONTRANSITIONAL 8

static LookupFunction find_lookup(void) {
        static void *library;

        if (!library)
                library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
        return library ? (LookupFunction)dlsym(library, "idn2_lookup_u8") : NULL;
}

static bool is_ascii(Str name) {
        for (size_t i = 0; i < name.len; i++)
                if ((unsigned char)name.data[i] >= 0x80)
                        return false;
        return true;
}

int domain_to_ascii(Str name, Buf *ret) {
        _cleanup_(freep) char *source = NULL;
        _cleanup_(freep) uint8_t *form = NULL;
        LookupFunction lookup;

        if (is_ascii(name))
                return buf_append_str(ret, name);
        if (name.len > NAME_MAX_BYTES || str_contains(name, '\0'))
                return DOMAIN_ASCII_E_INVALID;
        lookup = find_lookup();
        source = str_dup(name);
        if (!lookup || !source)
                return lookup ? -ENOMEM : DOMAIN_ASCII_E_MISSING;
        if (lookup((const uint8_t *)source, &form, NONTRANSITIONAL) != 0)
                return DOMAIN_ASCII_E_INVALID;
        return buf_append_cstr(ret, (const char *)form);
}
