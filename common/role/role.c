/*
 * From main() to the loop of the role's kind. All that can go wrong at a start goes wrong here,
 * before READY, and ends in one line in the journal and a status that systemd paces.
 */

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-process.h"

#define ERROR_MAX_BYTES          2048
#define REQUEST_LIMIT_USEC       (1000 * USEC_PER_SEC)
#define LOG_IDENTIFIER_MAX_BYTES 256

usec_t role_request_limit_usec(const Role *role) {
        return role->request_limit_usec > 0 ? role->request_limit_usec : REQUEST_LIMIT_USEC;
}

/* ---- configuration ---- */

static int load_config(const RoleProcess *process, Config **ret, Buf *error) {
        ConfigSource source = {
                .service_name = process->options.service,
                .overrides = process->options.overrides,
                .previous = process->config,
        };

        return config_load(&source, ret, error);
}

static void log_config_error(int r, Buf *error, const char *consequence) {
        if (r < 0)
                log_error(LOG_ID_CONFIG_ERROR, "configuration%s: %.*s%s%s", consequence,
                          STR_FMT(buf_str(error)), error->len > 0 ? ": " : "", strerror(-r));
        else
                log_error(LOG_ID_CONFIG_ERROR, "configuration%s: %.*s", consequence,
                          STR_FMT(buf_str(error)));
}

static void log_config_warnings(Config *config) {
        size_t cursor = 0;
        const char *text;

        while ((text = config_next_warning(config, &cursor)))
                log_warning(LOG_ID_CONFIG_WARNING, "%s", text);
}

/* "unitpost/local", and "unitpost/NAME/smtpd" where one program is several services. */
static void open_log(const RoleProcess *process) {
        _cleanup_(buf_deinit) Buf identifier = BUF_INIT(LOG_IDENTIFIER_MAX_BYTES);
        const char *text;

        (void)buf_printf(&identifier, "%s/", config_string(process->config, PARAM_syslog_name));
        if (strcmp(process->env.service, process->role->name) != 0)
                (void)buf_printf(&identifier, "%s/", process->env.service);
        (void)buf_append_cstr(&identifier, process->role->name);
        text = buf_cstr(&identifier);
        log_open(text ? text : process->role->name);
}

static int check_config(RoleProcess *process) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        _cleanup_(config_freep) Config *config = NULL;
        size_t cursor = 0;
        const char *text;
        int r;

        r = load_config(process, &config, &error);
        if (r != 0) {
                (void)fprintf(stderr, "%s: %.*s%s%s\n", process->role->name,
                              STR_FMT(buf_str(&error)), r < 0 && error.len > 0 ? ": " : "",
                              r < 0 ? strerror(-r) : "");
                return ROLE_EXIT_CONFIG;
        }
        while ((text = config_next_warning(config, &cursor)))
                (void)fprintf(stderr, "%s: warning: %s\n", process->role->name, text);
        (void)printf("%s: the configuration is well\n", process->role->name);
        return ROLE_EXIT_OK;
}

static int init_config(RoleProcess *process) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        int r;

        r = load_config(process, &process->config, &error);
        if (r != 0) {
                log_config_error(r, &error, "");
                return r;
        }
        process->env.config = process->config;
        open_log(process);
        log_config_warnings(process->config);
        return 0;
}

int role_reload_config(RoleProcess *process) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        Config *config = NULL;
        int r;

        r = load_config(process, &config, &error);
        if (r != 0) {
                log_config_error(r, &error, " was not reloaded, the one before stays in force");
                return r;
        }
        config_free(process->config);
        process->config = config;
        process->env.config = config;
        open_log(process);
        log_config_warnings(config);
        return 0;
}

/* ---- the loop that all kinds stand on ---- */

static int add_signal(RoleProcess *process, int number, sd_event_signal_handler_t handler,
                      void *userdata) {
        return sd_event_add_signal(process->env.event, NULL, number, handler, userdata);
}

int role_event_new(RoleProcess *process, sd_event_signal_handler_t on_stop,
                   sd_event_signal_handler_t on_reload, void *userdata) {
        sigset_t mask;
        int r;

        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGTERM);
        (void)sigaddset(&mask, SIGINT);
        (void)sigaddset(&mask, SIGHUP);
        (void)sigaddset(&mask, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        r = sd_event_default(&process->env.event);
        if (r < 0)
                return r;
        role_notify_attach(process->notify, process->env.event);
        r = add_signal(process, SIGTERM, on_stop, userdata);
        if (r >= 0)
                r = add_signal(process, SIGINT, on_stop, userdata);
        if (r >= 0)
                r = add_signal(process, SIGHUP, on_reload, userdata);
        if (r >= 0)
                r = sd_event_set_watchdog(process->env.event, 1);
        return r < 0 ? r : 0;
}

/* ---- start ---- */

static bool stdin_is_connection(void) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);

        return sd_is_socket(STDIN_FILENO, AF_UNSPEC, SOCK_STREAM, 0) > 0 &&
               getpeername(STDIN_FILENO, (struct sockaddr *)&address, &size) == 0;
}

static int run_without_listeners(RoleProcess *process) {
        if (!stdin_is_connection()) {
                log_fatal(LOG_ID_START_FAILED, "no sockets: %s is to be started by systemd",
                          process->role->name);
                (void)fprintf(stderr, "%s: no sockets: to be started by systemd, see unitpost(7)\n",
                              process->role->name);
                return ROLE_EXIT_FAILURE;
        }
        return process->role->kind == ROLE_WORKERS ? role_worker_run_stdin(process)
                                                   : role_loop_run_stdin(process);
}

static int run_kind(RoleProcess *process) {
        if (process->role->kind == ROLE_SCANNER)
                return role_scanner_run(process);
        if (process->n_listeners == 0)
                return run_without_listeners(process);
        return process->role->kind == ROLE_WORKERS ? role_workers_run(process)
                                                   : role_loop_run(process);
}

static int start(RoleProcess *process) {
        int r;

        if (init_config(process) != 0)
                return ROLE_EXIT_CONFIG;
        r = role_notify_new(&process->notify);
        if (r == 0)
                r = role_listeners_init(process);
        if (r == 0)
                r = role_peers_init(process);
        if (r < 0) {
                log_fatal(LOG_ID_START_FAILED, "start: %s", strerror(-r));
                return ROLE_EXIT_FAILURE;
        }
        process->env.notify = process->notify;
        return run_kind(process);
}

static void process_deinit(RoleProcess *process) {
        role_listeners_deinit(process);
        (void)role_notify_free(process->notify);
        (void)sd_event_unref(process->env.event);
        config_free(process->config);
        role_options_deinit(&process->options);
        log_close();
}

/*
 * Each request brings buffers of some 100 kB and gives them back: without this the allocator would
 * ask the kernel for them each time.
 */
static void keep_freed_memory(void) {
        (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
        (void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int role_main(const Role *role, int argc, char **argv) {
        RoleProcess process = { .role = role, .started_usec = clock_monotonic_usec() };
        int status;

        if (role_options_parse(role->name, argc, argv, &process.options, &status)) {
                process.env.role = role->name;
                process.env.service = process.options.service;
                log_open(role->name);
                log_set_verbose(process.options.verbose);
                keep_freed_memory();
                /* Who writes to a pipe or socket looks at EPIPE. */
                (void)signal(SIGPIPE, SIG_IGN);
                status = process.options.check ? check_config(&process) : start(&process);
        }
        process_deinit(&process);
        return status;
}
