#include "tools/sendmail/user.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* The entry of the calling uid, with its strings. */
typedef struct User {
        struct passwd passwd;
        char strings[16384];
} User;

static bool user_find(User *user) {
        struct passwd *found = NULL;

        return getpwuid_r(getuid(), &user->passwd, user->strings, sizeof(user->strings), &found) ==
                       0 &&
               found;
}

int user_append_login(Buf *ret) {
        User user;

        if (user_find(&user) && user.passwd.pw_name[0] != '\0')
                return buf_append_cstr(ret, user.passwd.pw_name);
        return buf_printf(ret, "uid-%u", getuid());
}

int user_append_name(Buf *ret, Str name) {
        for (size_t i = 0; i < name.len && ret->len < ret->max; i++)
                (void)buf_append_char(ret, ascii_is_control(name.data[i]) ? ' ' : name.data[i]);
        return ret->error;
}

int user_append_full_name(Buf *ret) {
        const char *environment = getenv("NAME");
        User user;
        Str name, part;
        bool first = true;

        if (environment && environment[0] != '\0')
                return user_append_name(ret, str_from_cstr(environment));
        if (!user_find(&user))
                return 0;
        name = str_from_cstr(user.passwd.pw_gecos);
        name = str_first(name, str_find(name, ','));
        while (str_next_part(&name, '&', &part)) {
                if (!first) {
                        size_t at = ret->len;

                        (void)user_append_name(ret, str_from_cstr(user.passwd.pw_name));
                        if (ret->len > at && ret->data[at] >= 'a' && ret->data[at] <= 'z')
                                ret->data[at] = (char)(ret->data[at] - 'a' + 'A');
                }
                first = false;
                (void)user_append_name(ret, part);
        }
        return ret->error;
}
