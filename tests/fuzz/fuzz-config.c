/* main.cf text: parse it all, expand every value with the others, check it against every row. */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/domain-name.h"
#include "common/role/config-expand.h"
#include "common/role/config-parse.h"
#include "common/role/config-value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Settings {
        Str names[64];
        Str values[64];
        size_t n;
} Settings;

static Str look_up(void *context, Str name) {
        const Settings *settings = context;

        for (size_t i = settings->n; i > 0; i--)
                if (str_equal(settings->names[i - 1], name))
                        return settings->values[i - 1];
        return STR_NULL;
}

static void check_value(Settings *settings, Str name, Str raw) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(16 * 1024);
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(1024);
        ConfigParam param;
        int64_t number;
        Str rest = raw;
        Str used;

        while (config_expand_next_name(&rest, &used))
                (void)look_up(settings, used);
        if (config_expand_text(raw, look_up, settings, &value, &reason) != 0)
                return;
        if (config_value_find_param(name, &param) || config_value_find_service_param(name, &param))
                (void)config_value_parse(config_param_info(param), buf_str(&value), &number,
                                         &reason);
        (void)domain_name_is_valid(buf_str(&value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str text = str_from((const char *)data, size);
        Settings settings = { .n = 0 };
        char *copies[128] = { NULL };
        size_t n_copies = 0;
        ConfigParser parser;
        ConfigLine line;
        int r;

        config_parser_init(&parser, text);
        while ((r = config_parser_next(&parser, &line)) != CONFIG_PARSE_E_END &&
               settings.n < ARRAY_LEN(settings.names)) {
                if (r != 0)
                        continue;
                copies[n_copies] = str_dup(line.name);
                copies[n_copies + 1] = str_dup(line.value);
                settings.names[settings.n] = str_from(copies[n_copies], line.name.len);
                settings.values[settings.n++] = str_from(copies[n_copies + 1], line.value.len);
                n_copies += 2;
        }
        config_parser_deinit(&parser);
        for (size_t i = 0; i < settings.n; i++)
                check_value(&settings, settings.names[i], settings.values[i]);
        for (size_t i = 0; i < n_copies; i++)
                free(copies[i]);
        return 0;
}
