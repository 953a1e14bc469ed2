/*
 * What Postfix's master listens for is, here, a unit that starts a service: a socket, a path, a
 * timer. One line for each of these; the rest of the line is of the service.
 */

#include "tools/postconf/services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <systemd/sd-bus.h>

#include "common/base/macro.h"
#include "tools/postconf/service-line.h"

#define DESTINATION  "org.freedesktop.systemd1"
#define MANAGER      "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define UNIT         "org.freedesktop.systemd1.Unit"
#define SOCKET       "org.freedesktop.systemd1.Socket"
#define SERVICE      "org.freedesktop.systemd1.Service"

#define UNITS_MAX      1000
#define PREFIX         "unitpost-"
#define LINE_MAX_BYTES ((size_t)256 * 1024)

typedef struct Services {
        const PostconfOptions *options;
        sd_bus *bus;
        char **units; /* names of sockets, paths and timers; sorted, each once */
        size_t n_units;
} Services;

static int fail(int r, const char *what) {
        return postconf_fail(EX_UNAVAILABLE,
                             "%s: %s (services are units of systemd; its files are those of "
                             "\"systemctl cat 'unitpost-*'\")",
                             what, strerror(-r));
}

static int add_unit(Services *services, const char *name) {
        char **units;

        if (services->n_units >= UNITS_MAX)
                return -E2BIG;
        units = reallocarray(services->units, services->n_units + 1, sizeof(units[0]));
        if (!units)
                return -ENOMEM;
        services->units = units;
        units[services->n_units] = strdup(name);
        return units[services->n_units] ? (services->n_units++, 0) : -ENOMEM;
}

/* A template is no service, only what instances are made of. */
static bool is_template(const char *name) {
        return strstr(name, "@.") != NULL;
}

/* Read the names out of REPLY, an array of structures (s REST): units, or files of them. */
static int read_names(Services *services, sd_bus_message *reply, const char *rest) {
        char array[32];
        char structure[32];
        const char *name;
        int r;

        (void)snprintf(array, sizeof(array), "(s%s)", rest);
        (void)snprintf(structure, sizeof(structure), "s%s", rest);
        r = sd_bus_message_enter_container(reply, 'a', array);
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', structure)) > 0) {
                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0) {
                        const char *slash = strrchr(name, '/');

                        name = slash ? slash + 1 : name;
                        r = is_template(name) ? 0 : add_unit(services, name);
                }
                if (r >= 0)
                        r = sd_bus_message_skip(reply, rest);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : 0;
}

static int list(Services *services, const char *method, const char *rest) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(services->bus, DESTINATION, MANAGER_PATH, MANAGER, method, NULL,
                                   &reply, "asas", 0, 3, PREFIX "*.socket", PREFIX "*.path",
                                   PREFIX "*.timer");

        return r < 0 ? r : read_names(services, reply, rest);
}

static int compare_units(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All files, and what is loaded: an instance of a template has no file. */
static int list_units(Services *services) {
        int r = list(services, "ListUnitFilesByPatterns", "s");

        if (r == 0)
                r = list(services, "ListUnitsByPatterns", "sssssouso");
        if (r == 0 && services->n_units > 0)
                qsort(services->units, services->n_units, sizeof(services->units[0]),
                      compare_units);
        return r;
}

/* ---- one unit ---- */

/* What its line is made of, as systemd tells. */
typedef struct Unit {
        char *name; /* of the line */
        char *file_state;
        char *active_state;
        char *user;
        char *command;    /* a path */
        char **arguments; /* with argv[0] */
        const char *type;
        bool is_for_all; /* anybody may connect */
} Unit;

static void free_strings(char **strings) {
        for (char **string = strings; string && *string; string++)
                free(*string);
        free(strings);
}

static void unit_deinit(Unit *unit) {
        free(unit->name);
        free(unit->file_state);
        free(unit->active_state);
        free(unit->user);
        free(unit->command);
        free_strings(unit->arguments);
}

/* The object of a unit, loaded for as long as we look at it. The caller frees. */
static int load_unit(Services *services, const char *unit, char **ret_path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path = NULL;
        int r = sd_bus_call_method(services->bus, DESTINATION, MANAGER_PATH, MANAGER, "LoadUnit",
                                   NULL, &reply, "s", unit);

        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        *ret_path = strdup(path);
        return *ret_path ? 0 : -ENOMEM;
}

static int read_string(Services *services, const char *path, const char *interface,
                       const char *property, char **ret) {
        return sd_bus_get_property_string(services->bus, DESTINATION, path, interface, property,
                                          NULL, ret);
}

/* The first address that a socket listens on decides the type of its line. */
static int read_socket(Services *services, const char *path, Unit *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *kind = "";
        const char *address = "";
        unsigned mode = 0;
        int r = sd_bus_get_property(services->bus, DESTINATION, path, SOCKET, "Listen", NULL,
                                    &reply, "a(ss)");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        if (r >= 0)
                r = sd_bus_message_read(reply, "(ss)", &kind, &address);
        if (r >= 0)
                r = sd_bus_get_property_trivial(services->bus, DESTINATION, path, SOCKET,
                                                "SocketMode", NULL, 'u', &mode);
        if (r < 0)
                return r;
        if (address[0] != '/' && address[0] != '@')
                ret->type = "inet";
        else
                ret->type = strcmp(kind, "Datagram") == 0 ? "unix-dgram" : "unix";
        ret->is_for_all = strcmp(ret->type, "inet") == 0 || (mode & 02) != 0;
        return 0;
}

static int read_command(Services *services, const char *path, Unit *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *command;
        int r = sd_bus_get_property(services->bus, DESTINATION, path, SERVICE, "ExecStart", NULL,
                                    &reply, "a(sasbttttuii)");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sasbttttuii)");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'r', "sasbttttuii");
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        r = sd_bus_message_read(reply, "s", &command);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &ret->arguments);
        if (r < 0)
                return r;
        ret->command = strdup(command);
        return ret->command ? 0 : -ENOMEM;
}

/* The service that UNIT, whose object is PATH, starts. */
static int read_service(Services *services, const char *path, Unit *ret) {
        _cleanup_(freep) char *service_path = NULL;
        char **triggers = NULL;
        int r = sd_bus_get_property_strv(services->bus, DESTINATION, path, UNIT, "Triggers", NULL,
                                         &triggers);

        if (r >= 0)
                r = triggers && triggers[0] ? load_unit(services, triggers[0], &service_path)
                                            : -ENOENT;
        free_strings(triggers);
        if (r >= 0)
                r = read_string(services, service_path, SERVICE, "User", &ret->user);
        return r < 0 ? r : read_command(services, service_path, ret);
}

/* "unitpost-qmgr.socket": "qmgr" */
static char *name_of(const char *unit) {
        Str name = str_skip(str_from_cstr(unit), sizeof(PREFIX) - 1);

        return str_dup(str_first(name, str_find_last(name, '.')));
}

static int read_unit(Services *services, const char *unit, Unit *ret) {
        _cleanup_(freep) char *path = NULL;
        bool is_socket = str_has_suffix(str_from_cstr(unit), STR(".socket"));
        bool is_timer = str_has_suffix(str_from_cstr(unit), STR(".timer"));
        int r = load_unit(services, unit, &path);

        ret->name = name_of(unit);
        ret->type = is_timer ? "timer" : "path";
        if (r >= 0)
                r = read_string(services, path, UNIT, "UnitFileState", &ret->file_state);
        if (r >= 0)
                r = read_string(services, path, UNIT, "ActiveState", &ret->active_state);
        if (r >= 0 && is_socket)
                r = read_socket(services, path, ret);
        return r < 0 ? r : read_service(services, path, ret);
}

/* ---- output ---- */

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static ServiceLine line_of(const Unit *unit) {
        bool is_enabled = strncmp(unit->file_state, "enabled", 7) == 0 ||
                          strcmp(unit->file_state, "static") == 0;

        return (ServiceLine){
                .name = unit->name,
                .type = unit->type,
                .command = base_name(unit->command),
                .arguments = unit->arguments[0] ? unit->arguments + 1 : unit->arguments,
                .is_private = !unit->is_for_all,
                .is_unprivileged = unit->user[0] != '\0' && strcmp(unit->user, "root") != 0,
                .is_off = !is_enabled && strcmp(unit->active_state, "active") != 0,
        };
}

/* The part of WORD behind its second slash: a field; NULL: none. */
static const char *field_of(const char *word) {
        const char *slash = word ? strchr(word, '/') : NULL;

        slash = slash ? strchr(slash + 1, '/') : NULL;
        return slash ? slash + 1 : NULL;
}

static int print_unit(const Services *services, const Unit *unit, const char *word) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(LINE_MAX_BYTES);
        ServiceLine line = line_of(unit);

        if (word && !service_line_matches(&line, word))
                return 0;
        if (service_line_format(services->options, &line, field_of(word), &out) != 0)
                return -ENOMEM;
        (void)fwrite(out.data, 1, out.len, stdout);
        return 1;
}

/* The lines that WORD asks for; NULL: all. How many, or negative errno. */
static int print_matching(Services *services, const char *word) {
        int n = 0;

        for (size_t i = 0; i < services->n_units; i++) {
                Unit unit = { 0 };
                int r = 0;

                if (i == 0 || strcmp(services->units[i], services->units[i - 1]) != 0)
                        r = read_unit(services, services->units[i], &unit);
                if (r == 0 && unit.name)
                        r = print_unit(services, &unit, word);
                unit_deinit(&unit);
                if (r < 0)
                        return r;
                n += r;
        }
        return n;
}

static int print_all(Services *services) {
        int r = 0;

        if (!services->options->words[0])
                return print_matching(services, NULL);
        for (char **word = services->options->words; *word && r >= 0; word++) {
                r = print_matching(services, *word);
                if (r == 0 && !services->options->is_quiet)
                        postconf_warn("%s: no such service", *word);
        }
        return r;
}

int services_show(const PostconfOptions *options) {
        Services services = { .options = options };
        int r;

        for (char **word = options->words; *word; word++)
                if (strchr(*word, '='))
                        return postconf_fail(EX_UNAVAILABLE, POSTCONF_SERVICES_ARE_UNITS);
        r = sd_bus_open_system(&services.bus);
        if (r >= 0)
                r = list_units(&services);
        if (r >= 0)
                r = print_all(&services);
        for (size_t i = 0; i < services.n_units; i++)
                free(services.units[i]);
        free(services.units);
        (void)sd_bus_flush_close_unref(services.bus);
        if (r < 0)
                return fail(r, "no answer from systemd");
        return fflush(stdout) == 0 && !ferror(stdout)
                       ? EXIT_SUCCESS
                       : postconf_fail(EX_IOERR, "output write error");
}
