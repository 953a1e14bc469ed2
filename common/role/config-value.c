/*
 * The table of parameters, and the types of values. Nothing here knows where a text came from.
 */

#include "common/role/config-value.h"

#include <inttypes.h>
#include <stdlib.h>

/* STRING ... LIST of params.def. */
enum {
        STRING = CONFIG_STRING,
        BOOL = CONFIG_BOOL,
        INT = CONFIG_INT,
        SIZE = CONFIG_SIZE,
        TIME = CONFIG_TIME,
        LIST = CONFIG_LIST,
        RAW = CONFIG_RAW,
};

#define PARAM(name, type, text, minimum, maximum, roles, meaning) \
        { #name, (ConfigType)(type), text, minimum, maximum, roles, meaning },
static const ConfigParamInfo params[] = {
#include "common/role/params.def"
};
#undef PARAM

/* Service-defined names, and the parameter that each falls back to. */
static const struct {
        Str suffix;
        ConfigParam fallback;
} service_suffixes[] = {
        { { "_destination_concurrency_limit", 30 }, PARAM_default_destination_concurrency_limit },
        { { "_destination_recipient_limit", 28 }, PARAM_default_destination_recipient_limit },
        { { "_process_limit", 14 }, PARAM_default_process_limit },
};

static const struct {
        char letter;
        int64_t seconds;
} time_units[] = {
        { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
};

const ConfigParamInfo *config_param_info(ConfigParam param) {
        return &params[param];
}

static int compare_name(const void *key, const void *row) {
        const Str *name = key;
        const char *row_name = ((const ConfigParamInfo *)row)->name;
        int order = strncmp(name->data, row_name, name->len);

        return order != 0 || row_name[name->len] == '\0' ? order : -1;
}

bool config_value_find_param(Str name, ConfigParam *ret) {
        const ConfigParamInfo *row;

        if (str_is_empty(name) || str_contains(name, '\0'))
                return false;
        row = bsearch(&name, params, ARRAY_LEN(params), sizeof(params[0]), compare_name);
        if (row)
                *ret = (ConfigParam)(row - params);
        return row != NULL;
}

bool config_value_find_service_param(Str name, ConfigParam *ret) {
        for (size_t i = 0; i < ARRAY_LEN(service_suffixes); i++)
                if (name.len > service_suffixes[i].suffix.len &&
                    str_has_suffix(name, service_suffixes[i].suffix)) {
                        *ret = service_suffixes[i].fallback;
                        return true;
                }
        return false;
}

/* A decimal with an optional sign; false for anything else, and beyond 64 bits. */
static bool parse_integer(Str text, int64_t *ret) {
        bool negative = str_has_prefix(text, STR("-"));
        uint64_t magnitude;

        if (negative || str_has_prefix(text, STR("+")))
                text = str_skip(text, 1);
        if (str_parse_u64(text, INT64_MAX, &magnitude) != 0)
                return false;
        *ret = negative ? -(int64_t)magnitude : (int64_t)magnitude;
        return true;
}

static int64_t unit_seconds(char letter) {
        for (size_t i = 0; i < ARRAY_LEN(time_units); i++)
                if (time_units[i].letter == letter)
                        return time_units[i].seconds;
        return 0;
}

/* A number of seconds; without a unit it has that of the default. */
static bool parse_time(const ConfigParamInfo *info, Str text, int64_t *ret_seconds) {
        Str defaults = str_from_cstr(info->default_text);
        int64_t unit = str_is_empty(text) ? 0 : unit_seconds(text.data[text.len - 1]);

        if (unit != 0)
                text = str_first(text, text.len - 1);
        else
                unit = str_is_empty(defaults) ? 0 : unit_seconds(defaults.data[defaults.len - 1]);
        return parse_integer(text, ret_seconds) &&
               !__builtin_mul_overflow(*ret_seconds, unit != 0 ? unit : 1, ret_seconds);
}

static int check_range(const ConfigParamInfo *info, bool is_number, int64_t value, Buf *reason) {
        const char *what = is_number ? "out of range" : "not a number";
        const char *unit = "";

        if (is_number && value >= info->minimum && value <= info->maximum)
                return 0;
        if (info->type == CONFIG_TIME) {
                what = is_number ? what : "not a number with a unit of s, m, h, d or w";
                unit = " seconds";
        } else if (info->type == CONFIG_SIZE)
                unit = " bytes";
        (void)buf_printf(reason, "%s; allowed: %" PRId64 " to %" PRId64 "%s", what, info->minimum,
                         info->maximum, unit);
        return CONFIG_VALUE_E_INVALID;
}

static int parse_bool(Str text, int64_t *ret, Buf *reason) {
        *ret = str_equal_nocase(text, STR("yes"));
        if (*ret || str_equal_nocase(text, STR("no")))
                return 0;
        (void)buf_append_cstr(reason, "neither yes nor no");
        return CONFIG_VALUE_E_INVALID;
}

int config_value_parse(const ConfigParamInfo *info, Str text, int64_t *ret, Buf *reason) {
        bool is_number;
        int r;

        *ret = 0;
        switch (info->type) {
        case CONFIG_STRING:
        case CONFIG_LIST:
        case CONFIG_RAW:
                return 0;
        case CONFIG_BOOL:
                return parse_bool(text, ret, reason);
        case CONFIG_TIME:
                is_number = parse_time(info, text, ret);
                break;
        case CONFIG_INT:
        case CONFIG_SIZE:
        default:
                is_number = parse_integer(text, ret);
                break;
        }
        r = check_range(info, is_number, *ret, reason);
        if (r == 0 && info->type == CONFIG_TIME &&
            __builtin_mul_overflow(*ret, (int64_t)USEC_PER_SEC, ret))
                return check_range(info, true, INT64_MIN, reason);
        return r;
}
