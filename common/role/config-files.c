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

static const char *root_of(const ConfigSource *source) {
        return source->root ? source->root : "";
}

static const char *directory_of(const ConfigSource *source) {
        return source->directory ? source->directory : CONFIG_ADMIN_DIRECTORY;
}

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

/*
 * DIRECTORY/main.cf may be missing, but not go: an editor that was interrupted, or rm, is not the
 * admin's wish to relay and to deliver by other rules from the next reload on.
 */
static int load_main(ConfigLayers *layers, const ConfigSource *source, const char *directory,
                     const ConfigLayers *previous, Buf *error) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(PATH_MAX_BYTES);
        int r;

        (void)buf_printf(&path, "%s/main.cf", directory);
        if (!buf_cstr(&path))
                return -ENAMETOOLONG;
        r = load_file(layers, root_of(source), buf_cstr(&path), error);
        if (r != -ENOENT)
                return r;
        if (!previous || !config_layers_has_file(previous, buf_cstr(&path)))
                return 0;
        (void)buf_printf(error, "%s: gone since it was read; restart the service to do without it",
                         buf_cstr(&path));
        return CONFIG_E_INVALID;
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

/* The *.cf files of DIRECTORY/main.cf.d, by name. What is listed must be readable. */
static int load_drop_ins(ConfigLayers *layers, const ConfigSource *source, const char *directory,
                         Buf *error) {
        _cleanup_(buf_deinit) Buf full = BUF_INIT(PATH_MAX_BYTES);
        _cleanup_(buf_deinit) Buf path_buf = BUF_INIT(PATH_MAX_BYTES);
        const char *path;
        struct dirent **entries = NULL;
        int n;
        int r = 0;

        (void)buf_printf(&path_buf, "%s/main.cf.d", directory);
        path = buf_cstr(&path_buf);
        (void)buf_printf(&full, "%s%s", root_of(source), path ? path : "");
        if (!path || !buf_cstr(&full))
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
                        r = buf_cstr(&full)
                                    ? load_drop_in(layers, root_of(source), buf_cstr(&full), error)
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

static int load_service(ConfigLayers *layers, const ConfigSource *source, Buf *error) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(PATH_MAX_BYTES);
        const char *service = source->service_name;
        int r;

        if (!service)
                return 0;
        if (!is_service_name(str_from_cstr(service))) {
                (void)buf_printf(error, "bad service name \"%.60s\"", service);
                return CONFIG_E_INVALID;
        }
        (void)buf_printf(&path, "%s/service/%s.cf", directory_of(source), service);
        if (!buf_cstr(&path))
                return -ENAMETOOLONG;
        r = load_file(layers, root_of(source), buf_cstr(&path), error);
        return r == -ENOENT ? 0 : r;
}

static int load_overrides(ConfigLayers *layers, const char *const *overrides, Buf *error) {
        const char *file = overrides && *overrides
                                   ? config_layers_remember_file(layers, CONFIG_OPTION_FILE)
                                   : "";

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

/* What all services read, behind the admin's main.cf. */
static int load_later(ConfigLayers *layers, const ConfigSource *source, Buf *error) {
        int r = load_drop_ins(layers, source, directory_of(source), error);

        if (r == 0 && !source->directory)
                r = load_drop_ins(layers, source, CONFIG_RUNTIME_DIRECTORY, error);
        return r;
}

int config_files_load(ConfigLayers *layers, const ConfigSource *source,
                      const ConfigLayers *previous, Buf *error) {
        int r = 0;

        if (!source->directory)
                r = load_main(layers, source, CONFIG_DISTRIBUTION_DIRECTORY, previous, error);
        if (r == 0 && !source->directory)
                r = load_drop_ins(layers, source, CONFIG_DISTRIBUTION_DIRECTORY, error);
        if (r == 0)
                r = load_main(layers, source, directory_of(source), previous, error);
        if (r == 0)
                r = load_later(layers, source, error);
        if (r == 0)
                r = load_service(layers, source, error);
        if (r == 0)
                r = load_overrides(layers, source->overrides, error);
        if (r == 0)
                config_layers_sort(layers);
        return r;
}

int config_files_load_later(ConfigLayers *layers, const ConfigSource *source, Buf *error) {
        int r = load_later(layers, source, error);

        if (r == 0)
                config_layers_sort(layers);
        return r;
}
