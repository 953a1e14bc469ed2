#pragma once

/*
 * Logging to journald over its native datagram protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL), written here because sd_journal_send() blocks while
 * journald hangs and reports success when it is gone. Sends never block: what journald does not
 * take at once is kept in a bounded buffer (256 kB) and sent before the next line; what does not
 * fit is counted, and the count is logged as soon as a line goes through again.
 *
 * Bytes from the wire may be passed as they are: control bytes (and bytes that are not UTF-8) are
 * shown as '?' in MESSAGE and in fields, so one call is one journal entry and no field can be
 * forged or cut. (A NUL in a "%.*s" argument ends that argument, as printf has it.) When there
 * is no journal socket (a chroot, a test), lines go to standard error. errno survives each call.
 *
 * After fork() the child shares the socket and starts with an empty buffer and count of its own.
 *
 * Library code returns; programs log. One process, one log; not for use by several threads.
 */

#include <stddef.h>

#include "common/base/macro.h"
#include "common/base/str.h"

typedef struct LogField {
        const char *name; /* upper case, e.g. "UNITPOST_QUEUE_ID" */
        Str value;        /* at most 1024 bytes are logged */
} LogField;

/*
 * Open the log. IDENTIFIER becomes SYSLOG_IDENTIFIER (e.g. "unitpost/smtpd"); copied.
 * Called again, it changes the identifier. Never fails: see above where lines go then.
 */
void log_open(const char *identifier);

/* Close the descriptor, trying once more to send what is buffered (without blocking). */
void log_close(void);

/* Send lines to standard error too (tools and tests run by hand). */
void log_to_stderr(int also);

/*
 * One entry: MESSAGE, PRIORITY (LOG_ERR ... of <syslog.h>), SYSLOG_FACILITY=2 (mail),
 * SYSLOG_IDENTIFIER, SYSLOG_PID, MESSAGE_ID when MESSAGE_ID is not NULL (32 hex digits, see
 * common/mail/log-id.h), and FIELDS. A message is cut at 2048 bytes.
 */
void log_event(int priority, const char *message_id, const LogField *fields, size_t n_fields,
               const char *format, ...) _printf_(5, 6);

/*
 * Lines without fields. warning, error and fatal put the word that log readers look for in front
 * ("warning: ", "error: ", "fatal: ").
 */
void log_info(const char *format, ...) _printf_(1, 2);
void log_debug(const char *format, ...) _printf_(1, 2);
void log_warning(const char *message_id, const char *format, ...) _printf_(2, 3);
void log_error(const char *message_id, const char *format, ...) _printf_(2, 3);
void log_fatal(const char *message_id, const char *format, ...) _printf_(2, 3);

/* Debug lines are built only when this is on (-v). */
void log_set_verbose(int on);

/* Lines lost so far because journald did not take them. */
size_t log_n_dropped(void);

/*
 * For tests: talk to a journal socket at PATH (copied; at most 107 bytes) from the next line on,
 * as a process that has just started would. NULL means the real one.
 */
void log_set_socket_path(const char *path);
