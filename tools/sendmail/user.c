#include "tools/sendmail/user.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The entry of the calling uid; NULL: there is none. Asked for once, for the login and the full
 * name: each question is a file read, or one more to a directory service.
 */
static const struct passwd *find_caller(void) {
        static char strings[16384];
        static struct passwd entry, *found;
        static bool is_known;

        if (!is_known && getpwuid_r(getuid(), &entry, strings, sizeof(strings), &found) != 0)
                found = NULL;
        is_known = true;
        return found;
}

int user_append_login(Buf *ret) {
        const struct passwd *caller = find_caller();

        if (caller && caller->pw_name[0] != '\0')
                return buf_append_cstr(ret, caller->pw_name);
        return buf_printf(ret, "uid-%u", getuid());
}

int user_append_name(Buf *ret, Str name) {
        for (size_t i = 0; i < name.len && ret->len < ret->max; i++)
                (void)buf_append_char(ret, ascii_is_control(name.data[i]) ? ' ' : name.data[i]);
        return ret->error;
}

int user_append_full_name(Buf *ret) {
        const char *environment = getenv("NAME");
        const struct passwd *caller;
        Str name, part;
        bool first = true;

        if (environment && environment[0] != '\0')
                return user_append_name(ret, str_from_cstr(environment));
        caller = find_caller();
        if (!caller)
                return 0;
        name = str_from_cstr(caller->pw_gecos);
        name = str_first(name, str_find(name, ','));
        while (str_next_part(&name, '&', &part)) {
                if (!first) {
                        size_t at = ret->len;

                        (void)user_append_name(ret, str_from_cstr(caller->pw_name));
                        if (ret->len > at && ret->data[at] >= 'a' && ret->data[at] <= 'z')
                                ret->data[at] = (char)(ret->data[at] - 'a' + 'A');
                }
                first = false;
                (void)user_append_name(ret, part);
        }
        return ret->error;
}
