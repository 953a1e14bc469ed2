/*
 * Reads the layers in their order. A file that is missing is skipped; any other trouble ends the
 * load, since half of a configuration could relay or lose mail.
 */

#include "common/role/config-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/role/config-parse.h"

#define PATH_MAX_BYTES 4096

static int fail_too_many(const char *where, const char *what, size_t maximum, Buf *error) {
        (void)buf_printf(error, "%s: more than %zu %s", where, maximum, what);
        return CONFIG_E_INVALID;
}

static int parse_file(ConfigLayers *layers, const char *file, Str text, Buf *error) {
        _cleanup_(config_parser_deinit) ConfigParser parser;
        ConfigLine line;
        int r;

        config_parser_init(&parser, text);
        while ((r = config_parser_next(&parser, &line)) == 0) {
                r = config_layers_set(layers, &line, file);
                if (r == -E2BIG)
                        return fail_too_many(file, "settings of other names", CONFIG_EXTRAS_MAX,
                                             error);
                if (r != 0)
                        return r;
        }
        if (r != CONFIG_PARSE_E_SYNTAX)
                return r == CONFIG_PARSE_E_END ? 0 : r;
        (void)buf_printf(error, "%s, line %" PRIu64 ": %s: \"%.*s\"", file, line.line, line.reason,
                         STR_FMT(str_first(line.name, 60)));
        return CONFIG_E_INVALID;
}

int config_files_read(const char *root, const char *path, Buf *text, Buf *error) {
        _cleanup_(buf_deinit) Buf full = BUF_INIT(PATH_MAX_BYTES);
        int r;

        (void)buf_printf(&full, "%s%s", root, path);
        if (!buf_cstr(&full))
                return -ENAMETOOLONG;
        r = file_read(AT_FDCWD, buf_cstr(&full), text);
        if (r == FILE_E_TOO_BIG)
                (void)buf_printf(error, "%s: larger than %zu bytes", path, text->max);
        else if (r == FILE_E_NOT_REGULAR)
                (void)buf_printf(error, "%s: not a regular file", path);
        else if (r < 0 && r != -ENOENT)
                (void)buf_printf(error, "%s: %s", path, strerror(-r));
        return r > 0 ? CONFIG_E_INVALID : r;
}

/* Read PATH; a missing file is -ENOENT, with nothing in ERROR. */
static int load_file(ConfigLayers *layers, const char *root, const char *path, Buf *error) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        const char *file;
        int r;

        r = config_files_read(root, path, &text, error);
        if (r != 0)
                return r;
        file = config_layers_remember_file(layers, path);
        return file ? parse_file(layers, file, buf_str(&text), error) : -ENOMEM;
}

static int load_optional(ConfigLayers *layers, const char *root, const char *path, Buf *error) {
        int r = load_file(layers, root, path, error);

        return r == -ENOENT ? 0 : r;
}

static int select_drop_in(const struct dirent *entry) {
        Str name = str_from_cstr(entry->d_name);

        return name.data[0] != '.' && str_has_suffix(name, STR(".cf"));
}

static int compare_drop_ins(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_in(ConfigLayers *layers, const char *root, const char *path, Buf *error) {
        int r = load_file(layers, root, path, error);

        if (r == -ENOENT)
                (void)buf_printf(error, "%s: %s", path, strerror(ENOENT));
        return r;
}

/* The *.cf files of a directory, by name. What is listed must be readable. */
static int load_drop_ins(ConfigLayers *layers, const char *root, const char *path, Buf *error) {
        _cleanup_(buf_deinit) Buf full = BUF_INIT(PATH_MAX_BYTES);
        struct dirent **entries = NULL;
        int n;
        int r = 0;

        (void)buf_printf(&full, "%s%s", root, path);
        if (!buf_cstr(&full))
                return -ENAMETOOLONG;
        n = scandir(buf_cstr(&full), &entries, select_drop_in, compare_drop_ins);
        if (n < 0) {
                r = -errno;
                if (r != -ENOENT)
                        (void)buf_printf(error, "%s: %s", path, strerror(-r));
                return r == -ENOENT ? 0 : r;
        }
        if (n > CONFIG_DROP_INS_MAX)
                r = fail_too_many(path, "files", CONFIG_DROP_INS_MAX, error);
        for (int i = 0; i < n; i++) {
                buf_reset(&full);
                (void)buf_printf(&full, "%s/%s", path, entries[i]->d_name);
                if (r == 0)
                        r = buf_cstr(&full) ? load_drop_in(layers, root, buf_cstr(&full), error)
                                            : -ENAMETOOLONG;
                free(entries[i]);
        }
        free(entries);
        return r;
}

static bool is_service_name(Str name) {
        for (size_t i = 0; i < name.len; i++) {
                char c = name.data[i];

                if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
                        return false;
        }
        return !str_is_empty(name) && name.len <= 200;
}

static int load_service(ConfigLayers *layers, const char *root, const char *service, Buf *error) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(PATH_MAX_BYTES);

        if (!service)
                return 0;
        if (!is_service_name(str_from_cstr(service))) {
                (void)buf_printf(error, "bad service name \"%.60s\"", service);
                return CONFIG_E_INVALID;
        }
        (void)buf_printf(&path, "/etc/unitpost/service/%s.cf", service);
        if (!buf_cstr(&path))
                return -ENOMEM;
        return load_optional(layers, root, buf_cstr(&path), error);
}

static int load_overrides(ConfigLayers *layers, const char *const *overrides, Buf *error) {
        const char *file = overrides && *overrides ? config_layers_remember_file(layers, "-o") : "";

        if (!file)
                return -ENOMEM;
        for (; overrides && *overrides; overrides++) {
                ConfigLine line = { 0 };
                int r = config_parse_setting(str_from_cstr(*overrides), &line.name, &line.value,
                                             &line.reason);

                if (r != 0) {
                        (void)buf_printf(error, "-o %.200s: %s", *overrides, line.reason);
                        return CONFIG_E_INVALID;
                }
                r = config_layers_set(layers, &line, file);
                if (r != 0)
                        return r;
        }
        return 0;
}

int config_files_load(ConfigLayers *layers, const ConfigSource *source, Buf *error) {
        const char *root = source->root ? source->root : "";
        int r;

        r = load_optional(layers, root, "/usr/lib/unitpost/main.cf", error);
        if (r == 0)
                r = load_drop_ins(layers, root, "/usr/lib/unitpost/main.cf.d", error);
        if (r == 0)
                r = load_optional(layers, root, "/etc/unitpost/main.cf", error);
        if (r == 0)
                r = load_drop_ins(layers, root, "/etc/unitpost/main.cf.d", error);
        if (r == 0)
                r = load_drop_ins(layers, root, "/run/unitpost/main.cf.d", error);
        if (r == 0)
                r = load_service(layers, root, source->service_name, error);
        if (r == 0)
                r = load_overrides(layers, source->overrides, error);
        if (r == 0)
                config_layers_sort(layers);
        return r;
}
