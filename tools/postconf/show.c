#include "tools/postconf/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/mail/table.h"
#include "common/role/config-nearest.h"
#include "common/role/config-value.h"
#include "common/role/config-warning.h"
#include "tools/postconf/format.h"

/* One value, expanded and printed. */
#define VALUE_MAX_BYTES (4 * CONFIG_FILE_MAX_BYTES)

typedef struct Show {
        const PostconfOptions *options;
        const ConfigLayers *layers;
        Buf value; /* of the current row */
        Buf out;
} Show;

static int print(Show *show, const FormatRow *row) {
        buf_reset(&show->out);
        if (format_row(show->options, row, &show->out) != 0)
                return postconf_fail(EX_OSERR, "%.*s: too large to print", STR_FMT(row->name));
        if (fwrite(show->out.data, 1, show->out.len, stdout) != show->out.len)
                return postconf_fail(EX_IOERR, "output write error");
        return EXIT_SUCCESS;
}

/* TEXT, expanded where that is asked for, is in SHOW->value then. */
static int expand(Show *show, Str name, Str text, bool is_raw) {
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(512);
        int r;

        buf_reset(&show->value);
        if (!show->options->expand || is_raw)
                r = buf_append_str(&show->value, text);
        else
                r = config_expand_text(text, config_layers_lookup, (void *)show->layers,
                                       &show->value, &reason);
        if (r == CONFIG_EXPAND_E_INVALID)
                return postconf_fail(EXIT_FAILURE, "%.*s: %.*s", STR_FMT(name),
                                     STR_FMT(buf_str(&reason)));
        return r == 0 ? EXIT_SUCCESS : postconf_fail(EX_OSERR, "%s", strerror(ENOMEM));
}

static int show_value(Show *show, FormatRow *row, Str text, bool is_raw) {
        int status = expand(show, row->name, text, is_raw);

        row->value = buf_str(&show->value);
        return status == EXIT_SUCCESS ? print(show, row) : status;
}

static int show_param(Show *show, ConfigParam param) {
        const ConfigParamInfo *info = config_param_info(param);
        const ConfigSetting *setting = &show->layers->params[param];
        FormatRow row = {
                .name = str_from_cstr(info->name),
                .origin = config_setting_origin(setting),
        };

        if (!(show->options->classes & POSTCONF_CLASS_BUILTIN) ||
            (show->options->is_set_only && !setting->file))
                return EXIT_SUCCESS;
        return show_value(show, &row, config_layers_param_text(show->layers, param),
                          info->type == CONFIG_RAW);
}

static int show_extra(Show *show, const ConfigSetting *extra) {
        FormatRow row = {
                .name = str_from_cstr(extra->name),
                .origin = config_setting_origin(extra),
        };
        ConfigParam param;
        unsigned class = config_value_find_service_param(row.name, &param) ? POSTCONF_CLASS_SERVICE
                                                                           : POSTCONF_CLASS_USER;

        if (!(show->options->classes & class))
                return EXIT_SUCCESS;
        return show_value(show, &row, str_from_cstr(extra->value), false);
}

/* ---- all ---- */

/* Names that are neither used nor of a service are no parameters; a warning tells of them. */
static bool is_shown(const ConfigSetting *extra, bool is_used) {
        ConfigParam param;
        Str name = str_from_cstr(extra->name);

        return !config_value_find_param(name, &param) &&
               (is_used || config_value_find_service_param(name, &param));
}

/* Parameters and other names are each sorted: merge the two. */
static int show_all(Show *show) {
        const ConfigLayers *layers = show->layers;
        _cleanup_(freep) bool *is_used = config_layers_find_used(layers);
        int status = EXIT_SUCCESS;
        size_t i_param = 0;
        size_t i = 0;

        if (!is_used)
                return postconf_fail(EX_OSERR, "%s", strerror(ENOMEM));
        while (status == EXIT_SUCCESS && (i_param < CONFIG_N_PARAMS || i < layers->n_extras)) {
                const ConfigSetting *extra = i < layers->n_extras ? &layers->extras[i] : NULL;

                if (!extra ||
                    (i_param < CONFIG_N_PARAMS &&
                     strcmp(config_param_info((ConfigParam)i_param)->name, extra->name) <= 0)) {
                        status = show_param(show, (ConfigParam)i_param++);
                        continue;
                }
                if (is_shown(extra, is_used[i++]))
                        status = show_extra(show, extra);
        }
        return status;
}

/* ---- by name ---- */

static void warn_unknown(const PostconfOptions *options, Str name) {
        const char *nearest = config_nearest_param(name);

        if (options->is_quiet)
                return;
        if (nearest)
                postconf_warn("%.*s: unknown parameter; did you mean %s?", STR_FMT(name), nearest);
        else
                postconf_warn("%.*s: unknown parameter", STR_FMT(name));
}

/* A name of a service that is not set is what it falls back to. */
static int show_service_default(Show *show, Str name, ConfigParam fallback) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(512);
        FormatRow row = { .name = name, .origin = { .layer = "default" } };

        if (!(show->options->classes & POSTCONF_CLASS_SERVICE) || show->options->is_set_only)
                return EXIT_SUCCESS;
        (void)buf_printf(&text, "$%s", config_param_info(fallback)->name);
        return show_value(show, &row, buf_str(&text), false);
}

static int show_name(Show *show, Str name) {
        const ConfigSetting *extra = config_layers_find_extra(show->layers, name);
        ConfigParam param;

        if (config_value_find_param(name, &param))
                return show_param(show, param);
        if (extra)
                return show_extra(show, extra);
        if (config_value_find_service_param(name, &param))
                return show_service_default(show, name, param);
        warn_unknown(show->options, name);
        return EXIT_SUCCESS;
}

static int end_of_output(int status) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        return status != EXIT_SUCCESS ? status : postconf_fail(EX_IOERR, "output write error");
}

int show_parameters(const PostconfOptions *options, const ConfigLayers *layers) {
        Show show = {
                .options = options,
                .layers = layers,
                .value = BUF_INIT(VALUE_MAX_BYTES),
                .out = BUF_INIT(8 * VALUE_MAX_BYTES),
        };
        int status = EXIT_SUCCESS;

        if (!options->words[0])
                status = show_all(&show);
        for (char **word = options->words; *word && status == EXIT_SUCCESS; word++)
                status = show_name(&show, str_from_cstr(*word));
        buf_deinit(&show.value);
        buf_deinit(&show.out);
        return end_of_output(status);
}

/* ---- lists ---- */

int show_table_types(void) {
        for (size_t i = 0; !str_is_empty(table_type_name(i)); i++)
                (void)printf("%.*s\n", STR_FMT(table_type_name(i)));
        return end_of_output(EXIT_SUCCESS);
}

int show_locks(void) {
        (void)puts("flock\nfcntl\ndotlock");
        return end_of_output(EXIT_SUCCESS);
}
