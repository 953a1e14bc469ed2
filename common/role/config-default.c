/*
 * Names of this machine. Only here does loading a configuration ask the system for anything but
 * its files. A name that cannot be one is an error: notices and Message-IDs carry it.
 */

#include "common/role/config-default.h"

#include <errno.h>

#include "common/mail/domain-name.h"
#include "common/role/config-compare.h"
#include "common/role/config-files.h"
#include "common/role/config-value.h"

#define HOST_NAME_BYTES 256
#define MAILNAME_BYTES  4096

static const char mailname_path[] = "/etc/mailname";

/* What the system calls itself; "localhost" when that is no name ("(none)"). */
static Str system_name(char *buffer, size_t size) {
        Str name;

        if (gethostname(buffer, size) != 0)
                return STR("localhost");
        buffer[size - 1] = '\0';
        name = str_from_cstr(buffer);
        return domain_name_is_valid(name) ? name : STR("localhost");
}

static int set_myhostname(ConfigLayers *layers) {
        _cleanup_(buf_deinit) Buf full = BUF_INIT(2 * HOST_NAME_BYTES);
        char buffer[HOST_NAME_BYTES];

        if (layers->params[PARAM_myhostname].value)
                return 0;
        (void)buf_append_str(&full, system_name(buffer, sizeof(buffer)));
        if (!str_contains(buf_str(&full), '.'))
                (void)buf_append_cstr(&full, layers->params[PARAM_mydomain].value ? ".$mydomain"
                                                                                  : ".localdomain");
        if (full.error != 0)
                return -ENOMEM;
        return config_layers_set_default(layers, PARAM_myhostname, buf_str(&full));
}

static int set_mydomain(ConfigLayers *layers, Buf *error) {
        _cleanup_(buf_deinit) Buf host = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        Str domain;
        int r;

        if (layers->params[PARAM_mydomain].value)
                return 0;
        r = config_layers_expand_param(layers, PARAM_myhostname, &host, error);
        if (r != 0)
                return r;
        domain = str_skip(buf_str(&host), str_find(buf_str(&host), '.') + 1);
        return config_layers_set_default(layers, PARAM_mydomain,
                                         str_is_empty(domain) ? STR("localdomain") : domain);
}

/* Set myorigin to the first line of PATH. -ENOENT: no such file; CONFIG_E_INVALID: no name. */
static int set_myorigin_from(ConfigLayers *layers, const char *root, const char *path, Buf *error) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(MAILNAME_BYTES);
        Str line;
        int r;

        r = config_files_read(root, path, &text, error);
        if (r != 0)
                return r;
        line = str_trim(str_first(buf_str(&text), str_find(buf_str(&text), '\n')));
        if (!domain_name_is_valid(line)) {
                (void)buf_printf(error, "%s, line 1: not a domain name: \"%.*s\"", path,
                                 STR_FMT(str_first(line, 60)));
                return CONFIG_E_INVALID;
        }
        return config_layers_set_default(layers, PARAM_myorigin, line);
}

static int set_myorigin(ConfigLayers *layers, const char *root, Buf *error) {
        _cleanup_(freep) char *path = NULL;
        const char *value = layers->params[PARAM_myorigin].value;
        int r;

        if (value && value[0] != '/')
                return 0;
        path = str_dup(str_from_cstr(value ? value : mailname_path));
        if (!path)
                return -ENOMEM;
        r = set_myorigin_from(layers, root, path, error);
        if (r != -ENOENT)
                return r;
        if (value)
                return config_layers_invalid(layers, PARAM_myorigin, STR("no such file"), error);
        return config_layers_set_default(layers, PARAM_myorigin, STR("$myhostname"));
}

/* Did set_myorigin() find one? Else it took $myhostname. */
static bool has_mailname(const ConfigLayers *layers) {
        return layers->params[PARAM_myorigin].value[0] != '$';
}

/*
 * Postfix's default, and what Debian's package of it adds, since without them mail of this machine
 * would not be for it: the name in /etc/mailname, where local addresses get that, and a host name
 * without domain, which some programs (mutt) put behind their user's name.
 */
static int set_mydestination(ConfigLayers *layers, bool add_host, bool add_origin) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        char buffer[HOST_NAME_BYTES];
        Str name;

        if (layers->params[PARAM_mydestination].value)
                return 0;
        (void)buf_append_cstr(&text, config_param_info(PARAM_mydestination)->default_text);
        if (add_origin)
                (void)buf_append_cstr(&text, ", $myorigin");
        name = system_name(buffer, sizeof(buffer));
        if (add_host && !str_contains(name, '.') && !str_equal(name, STR("localhost"))) {
                (void)buf_append_cstr(&text, ", ");
                (void)buf_append_str(&text, name);
        }
        return text.error ? -ENOMEM
                          : config_layers_set_default(layers, PARAM_mydestination, buf_str(&text));
}

/* Names that become part of addresses and Message-IDs. */
static int check_name(const ConfigLayers *layers, ConfigParam param, Buf *error) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        int r = config_layers_expand_param(layers, param, &value, error);

        if (r == 0 && !domain_name_is_valid(buf_str(&value)))
                r = config_layers_invalid(layers, param, STR("not a host or domain name"), error);
        return r;
}

static int check_level(const ConfigLayers *layers, Buf *error) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        ConfigLevel level;
        int r = config_layers_expand_param(layers, PARAM_compatibility_level, &value, error);

        if (r == 0 && config_level_parse(buf_str(&value), &level) != 0)
                r = config_layers_invalid(layers, PARAM_compatibility_level,
                                          STR("not a level, as 2 or 3.6 or 3.6.1"), error);
        return r;
}

bool config_default_is_fixed(ConfigParam param) {
        return param == PARAM_config_directory || param == PARAM_mail_version ||
               param == PARAM_service_name;
}

static int set_fixed(ConfigLayers *layers, const ConfigSource *source) {
        int r = config_layers_set_default(layers, PARAM_config_directory,
                                          source->directory ? str_from_cstr(source->directory)
                                                            : STR(CONFIG_ADMIN_DIRECTORY));

        if (r == 0)
                r = config_layers_set_default(layers, PARAM_mail_version, STR(UNITPOST_VERSION));
        if (r == 0)
                r = config_layers_set_default(layers, PARAM_service_name,
                                              str_from_cstr(source->service_name));
        return r;
}

int config_default_set(ConfigLayers *layers, const ConfigSource *source, Buf *error) {
        bool is_host_set = layers->params[PARAM_myhostname].value != NULL;
        bool is_origin_set = layers->params[PARAM_myorigin].value != NULL;
        int r = set_fixed(layers, source);

        if (r == 0)
                r = check_level(layers, error);
        if (r == 0)
                r = set_myhostname(layers);
        if (r == 0)
                r = check_name(layers, PARAM_myhostname, error);
        if (r == 0)
                r = set_mydomain(layers, error);
        if (r == 0)
                r = check_name(layers, PARAM_mydomain, error);
        if (r == 0)
                r = set_myorigin(layers, source->root ? source->root : "", error);
        if (r == 0)
                r = check_name(layers, PARAM_myorigin, error);
        if (r == 0)
                r = set_mydestination(layers, !is_host_set, !is_origin_set && has_mailname(layers));
        return r;
}
