#include "services/local/local-expand.h"

#include <stddef.h>

#include "common/role/config-expand.h"

/* Eight values, each at most an address or a path long. */
#define VALUES_MAX_BYTES ((size_t)64 * 1024)

static const struct {
        Str name;
        size_t offset; /* of the value in LocalExpandValues */
} names[] = {
        { { "user", 4 }, offsetof(LocalExpandValues, user) },
        { { "home", 4 }, offsetof(LocalExpandValues, home) },
        { { "shell", 5 }, offsetof(LocalExpandValues, shell) },
        { { "recipient", 9 }, offsetof(LocalExpandValues, recipient) },
        { { "local", 5 }, offsetof(LocalExpandValues, local) },
        { { "extension", 9 }, offsetof(LocalExpandValues, extension) },
        { { "domain", 6 }, offsetof(LocalExpandValues, domain) },
        { { "recipient_delimiter", 19 }, offsetof(LocalExpandValues, recipient_delimiter) },
};

static Str value_at(const LocalExpandValues *values, size_t row) {
        return *(const Str *)((const char *)values + names[row].offset);
}

/* The values as they may be used: ends[i] is where the i-th ends in TEXT. */
typedef struct Filtered {
        const LocalExpandValues *values;
        Buf text;
        size_t ends[ARRAY_LEN(names)];
} Filtered;

static int filter_all(Filtered *filtered) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
                r = local_expand_filter(value_at(filtered->values, i), filtered->values->filter,
                                        &filtered->text);
                filtered->ends[i] = filtered->text.len;
        }
        return r;
}

static Str look_up(void *context, Str name) {
        const Filtered *filtered = context;

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                size_t start = i > 0 ? filtered->ends[i - 1] : 0;

                if (!str_equal(names[i].name, name))
                        continue;
                if (!value_at(filtered->values, i).data)
                        return STR_NULL;
                return filtered->ends[i] == start
                               ? STR("")
                               : str_from(filtered->text.data + start, filtered->ends[i] - start);
        }
        return STR_NULL;
}

int local_expand(Str text, const LocalExpandValues *values, Buf *ret, Buf *error) {
        Filtered filtered = { .values = values, .text = BUF_INIT(VALUES_MAX_BYTES) };
        int r = filter_all(&filtered);

        if (r == 0)
                r = config_expand_literal(text, look_up, &filtered, ret, error);
        else if (r == BUF_E_FULL) {
                (void)buf_append_cstr(error, "values are too long");
                r = CONFIG_EXPAND_E_INVALID;
        }
        buf_deinit(&filtered.text);
        if (r == CONFIG_EXPAND_E_UNDEFINED)
                return LOCAL_EXPAND_E_UNDEFINED;
        return r == CONFIG_EXPAND_E_INVALID ? LOCAL_EXPAND_E_INVALID : r;
}

int local_expand_filter(Str value, Str filter, Buf *ret) {
        char *room;
        int r;

        if (str_is_empty(value))
                return ret->error;
        r = buf_reserve(ret, value.len, &room);
        if (r != 0)
                return r;
        for (size_t i = 0; i < value.len; i++)
                room[i] = str_is_empty(filter) || str_contains(filter, value.data[i])
                                  ? value.data[i]
                                  : '_';
        buf_commit(ret, value.len);
        return 0;
}
