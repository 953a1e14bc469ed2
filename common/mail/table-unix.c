/*
 * unix:passwd.byname: users by way of NSS, which may ask a network and wait for it: loops go
 * through proxymap. The value is the line that passwd(5) would have.
 *
 * "No such user" and "could not ask" are told apart; the second one never bounces mail.
 */

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "common/mail/table-type.h"

#define ENTRY_MAX_BYTES ((size_t)1024 * 1024)

static int unix_open(Table *table, Str name, const char **ret_reason) {
        if (str_equal(name, STR("passwd.byname")))
                return 0;
        *ret_reason = "of type unix there is only passwd.byname";
        return TABLE_E_SYNTAX;
}

static void reply_line(const struct passwd *entry, TableReply reply, void *userdata) {
        _cleanup_(buf_deinit) Buf line = BUF_INIT(TABLE_VALUE_MAX);

        if (buf_printf(&line, "%s:%s:%lu:%lu:%s:%s:%s", entry->pw_name, entry->pw_passwd,
                       (unsigned long)entry->pw_uid, (unsigned long)entry->pw_gid,
                       entry->pw_gecos ? entry->pw_gecos : "", entry->pw_dir, entry->pw_shell) != 0)
                table_reply_error(reply, userdata, "unix:passwd.byname: entry too large");
        else
                reply(userdata, TABLE_FOUND, buf_str(&line));
}

static int unix_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        _cleanup_(freep) char *name = str_dup(key);
        _cleanup_(freep) char *buffer = NULL;
        struct passwd entry;
        struct passwd *found = NULL;
        int error = ERANGE;

        if (!name)
                return -ENOMEM;
        for (size_t size = 4096; error == ERANGE && size <= ENTRY_MAX_BYTES; size *= 4) {
                free(buffer);
                buffer = malloc(size);
                if (!buffer)
                        return -ENOMEM;
                do
                        error = getpwnam_r(name, &entry, buffer, size, &found);
                while (error == EINTR);
        }
        if (found)
                reply_line(&entry, reply, userdata);
        else if (error == 0 || error == ENOENT || error == ESRCH)
                reply(userdata, TABLE_NOT_FOUND, STR_NULL);
        else
                table_reply_error(reply, userdata, "unix:passwd.byname: %s", strerror(error));
        return 0;
}

static void unix_close(Table *table) {
}

const TableType table_type_unix = {
        .name = "unix",
        .may_block = true,
        .open = unix_open,
        .lookup = unix_lookup,
        .close = unix_close,
};
