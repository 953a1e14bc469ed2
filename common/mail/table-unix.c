/*
 * unix:passwd.byname: users by way of NSS, which may ask a network and wait for it: loops go
 * through proxymap. The value is the line that passwd(5) would have.
 *
 * "No such user" and "could not ask" are told apart; the second one never bounces mail.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/base/passwd.h"
#include "common/mail/table-type.h"

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
        _cleanup_(freep) char *memory = NULL;
        struct passwd entry;
        int r;

        if (!name)
                return -ENOMEM;
        r = passwd_find(name, 0, &entry, &memory);
        if (r == 0)
                reply_line(&entry, reply, userdata);
        else if (r == PASSWD_E_UNKNOWN)
                reply(userdata, TABLE_NOT_FOUND, STR_NULL);
        else
                table_reply_error(reply, userdata, "unix:passwd.byname: %s", strerror(-r));
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
