#include "tools/postconf/postconf.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/role/config-default.h"
#include "common/role/config-files.h"
#include "common/role/config-warning.h"
#include "tools/postconf/edit-file.h"
#include "tools/postconf/services.h"
#include "tools/postconf/show.h"

#define ERROR_MAX_BYTES 4096

static ConfigSource source_of(const PostconfOptions *options) {
        return (ConfigSource){ .directory = options->directory, .overrides = options->overrides };
}

static int report(int r, Buf *error) {
        if (r < 0 && error->len == 0)
                (void)buf_append_cstr(error, strerror(-r));
        return postconf_fail(r == -ENOMEM ? EX_OSERR : EXIT_FAILURE, "%.*s",
                             STR_FMT(buf_str(error)));
}

/* ---- what is wrong with the configuration, though it can be shown and edited ---- */

static void warn_of_values(const ConfigSource *source) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);

        if (config_load(source, &config, &error) != 0)
                postconf_warn("%.*s; no service starts with this", STR_FMT(buf_str(&error)));
}

static void warn_of_names(const ConfigLayers *layers) {
        ConfigWarnings warnings = { 0 };

        if (config_warnings_find(layers, &warnings) == 0)
                for (size_t i = 0; i < warnings.n; i++)
                        postconf_warn("%s", warnings.texts[i]);
        config_warnings_deinit(&warnings);
}

static void warn(const PostconfOptions *options, const ConfigLayers *layers) {
        const ConfigSource source = source_of(options);

        if (options->is_quiet || options->is_default)
                return;
        (void)fflush(stdout);
        warn_of_values(&source);
        warn_of_names(layers);
}

/* ---- showing ---- */

/*
 * The layers, with what the machine adds. 0, or as config_load(). A bad name of this machine is no
 * reason not to show the rest: warn() tells of it.
 */
static int load(const PostconfOptions *options, ConfigLayers *layers, Buf *error) {
        _cleanup_(buf_deinit) Buf ignored = BUF_INIT(ERROR_MAX_BYTES);
        const ConfigSource source = source_of(options);
        int r = options->is_default ? 0 : config_files_load(layers, &source, NULL, error);

        if (r == 0)
                r = config_default_set(layers, &source, &ignored) == -ENOMEM ? -ENOMEM : 0;
        return r;
}

static int show(const PostconfOptions *options) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        ConfigLayers layers = { 0 };
        int r = load(options, &layers, &error);
        int status = r == 0 ? show_parameters(options, &layers) : report(r, &error);

        if (status == EXIT_SUCCESS)
                warn(options, &layers);
        config_layers_deinit(&layers);
        return status;
}

/* ---- editing ---- */

static int parse_words(EditAction action, char **words, Edit *edits, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const char *reason;

                if (edit_parse_word(action, str_from_cstr(words[i]), &edits[i], &reason) != 0)
                        return postconf_fail(EX_USAGE, "\"%.200s\": %s", words[i], reason);
        }
        return EXIT_SUCCESS;
}

/* An edit that a later layer makes void is an error, not a surprise. */
static int refuse_overruled(const PostconfOptions *options, const Edit *edits, size_t n,
                            const char *path) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        const ConfigSource source = source_of(options);
        ConfigLayers layers = { 0 };
        int r = config_files_load_later(&layers, &source, &error);
        int status = r == 0 ? EXIT_SUCCESS : report(r, &error);

        for (size_t i = 0; i < n && status == EXIT_SUCCESS; i++) {
                const ConfigSetting *setting = config_layers_find(&layers, edits[i].name);
                ConfigOrigin origin = { 0 };

                if (setting)
                        origin = config_setting_origin(setting);
                if (origin.file)
                        status = postconf_fail(
                                EXIT_FAILURE,
                                "%.*s is set in %s, line %llu, which wins over %s; edit that file",
                                STR_FMT(edits[i].name), origin.file,
                                (unsigned long long)origin.line, path);
        }
        config_layers_deinit(&layers);
        return status;
}

static int edit_all(const PostconfOptions *options, Edit *edits, size_t n) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(4096);
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        const char *directory = options->directory ? options->directory : CONFIG_ADMIN_DIRECTORY;
        int status;

        (void)buf_printf(&path, "%s/main.cf", directory);
        if (!buf_cstr(&path))
                return postconf_fail(EX_USAGE, "-c: path too long");
        status = refuse_overruled(options, edits, n, buf_cstr(&path));
        if (status != EXIT_SUCCESS)
                return status;
        if (edit_file(buf_cstr(&path), edits, n, &error) != 0)
                return postconf_fail(EXIT_FAILURE, "%.*s", STR_FMT(buf_str(&error)));
        return EXIT_SUCCESS;
}

static void warn_of_edits(const PostconfOptions *options, const Edit *edits, size_t n) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        ConfigLayers layers = { 0 };

        for (size_t i = 0; i < n && !options->is_quiet; i++)
                if (edits[i].action != EDIT_SET && !edits[i].is_met)
                        postconf_warn("%.*s: not set in main.cf", STR_FMT(edits[i].name));
        if (load(options, &layers, &error) == 0)
                warn(options, &layers);
        else if (!options->is_quiet)
                postconf_warn("%.*s", STR_FMT(buf_str(&error)));
        config_layers_deinit(&layers);
}

static int edit(const PostconfOptions *options, EditAction action) {
        _cleanup_(freep) Edit *edits = NULL;
        size_t n = 0;
        int status;

        while (options->words[n])
                n++;
        edits = calloc(n + 1, sizeof(edits[0]));
        if (!edits)
                return postconf_fail(EX_OSERR, "%s", strerror(ENOMEM));
        status = parse_words(action, options->words, edits, n);
        if (status == EXIT_SUCCESS)
                status = edit_all(options, edits, n);
        if (status == EXIT_SUCCESS)
                warn_of_edits(options, edits, n);
        return status;
}

static int run(const PostconfOptions *options) {
        switch (options->mode) {
        case POSTCONF_EDIT:
                return edit(options, EDIT_SET);
        case POSTCONF_COMMENT:
                return edit(options, EDIT_COMMENT);
        case POSTCONF_REMOVE:
                return edit(options, EDIT_REMOVE);
        case POSTCONF_TABLE_TYPES:
                return show_table_types();
        case POSTCONF_LOCKS:
                return show_locks();
        case POSTCONF_SERVICES:
        case POSTCONF_SERVICE_FIELDS:
        case POSTCONF_SERVICE_PARAMETERS:
                return services_show(options);
        case POSTCONF_SHOW:
                break;
        }
        return show(options);
}

int postconf_main(int argc, char **argv) {
        PostconfOptions options;
        int status = postconf_options_parse(argc, argv, &options);

        /* "postconf | head": a write error, not a death. */
        (void)signal(SIGPIPE, SIG_IGN);
        if (status < 0)
                status = run(&options);
        postconf_options_deinit(&options);
        return status;
}
