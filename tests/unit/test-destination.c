/* services/local/destination: what aliases, .forward and :include: files list. */

#include <stdlib.h>

#include "common/base/clock.h"
#include "services/local/destination.h"
#include "tests/unit/unit.h"

#define ROW_MAX 6

typedef struct Row {
        const char *text;
        const char *destinations[ROW_MAX]; /* a letter for the kind, then the text */
} Row;

static const char letters[] = {
        [DESTINATION_ADDRESS] = 'A', [DESTINATION_COMMAND] = '|', [DESTINATION_FILE] = 'F',
        [DESTINATION_HOME] = '~',    [DESTINATION_INCLUDE] = ':',
};

/* All of TEXT's destinations, as "Aroot;|cmd;". A bad one is "?". */
static void append_all(DestinationList list, Buf *ret) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(DESTINATION_MAX_BYTES);
        DestinationKind kind;
        int r;

        while ((r = destination_next(&list, &text, &kind)) != DESTINATION_E_END) {
                ck_assert_int_ge(r, 0);
                (void)buf_append_char(ret, r == 0 ? letters[kind] : '?');
                if (r == 0)
                        (void)buf_append_str(ret, buf_str(&text));
                (void)buf_append_char(ret, ';');
        }
}

static void check_rows(const Row *rows, size_t n, DestinationList (*begin)(Str)) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_(buf_deinit) Buf got = BUF_INIT(65536), want = BUF_INIT(65536);

                append_all(begin(str_from_cstr(rows[i].text)), &got);
                for (size_t j = 0; j < ROW_MAX && rows[i].destinations[j]; j++) {
                        (void)buf_append_cstr(&want, rows[i].destinations[j]);
                        (void)buf_append_char(&want, ';');
                }
                ck_assert_msg(str_equal(buf_str(&got), buf_str(&want)),
                              "\"%s\":\n got %.*s\nwant %.*s", rows[i].text, STR_FMT(buf_str(&got)),
                              STR_FMT(buf_str(&want)));
        }
}

START_TEST(values_of_aliases) {
        static const Row rows[] = {
                { "root", { "Aroot" } },
                { "root, alice@example.org", { "Aroot", "Aalice@example.org" } },
                { "root alice", { "Aroot", "Aalice" } },
                { " , ,root,, ", { "Aroot" } },
                { "", { NULL } },
                { "\"john doe\"", { "A\"john doe\"" } },
                { "\"john doe\"@example.org", { "A\"john doe\"@example.org" } },
                { "John Doe <jd@example.org>, root", { "Ajd@example.org", "Aroot" } },
                { "root (the boss), bob", { "Aroot", "Abob" } },
                { "(nobody)", { NULL } },
                { "(x) root", { "Aroot" } },
                { "\\bob", { "Abob" } },
                { "\\bob, alice", { "Abob", "Aalice" } },
                { "\\bob@example.org", { "Abob@example.org" } },
                { "\"|/usr/bin/procmail -a x\"", { "|/usr/bin/procmail -a x" } },
                { "|\"/usr/bin/procmail -a x\"", { "|/usr/bin/procmail -a x" } },
                { "|/usr/bin/procmail", { "|/usr/bin/procmail" } },
                { "|/bin/echo hi, bob", { "|/bin/echo", "Ahi", "Abob" } },
                { "\"|echo \\\"a b\\\" \\\\n, c\", root", { "|echo \"a b\" \\n, c", "Aroot" } },
                { "/var/log/mail.txt", { "F/var/log/mail.txt" } },
                { "\"/var/my mail\"", { "F/var/my mail" } },
                { "/dev/null,root", { "F/dev/null", "Aroot" } },
                { "/var/Maildir/", { "F/var/Maildir/" } },
                { "~/Mail/x", { "~/Mail/x" } },
                { "~bob/x", { "~bob/x" } },
                { ":include:/etc/list", { ":/etc/list" } },
                { ":Include:\"/etc/my list\" , bob", { ":/etc/my list", "Abob" } },
                { "\":include:/etc/my list\"", { ":/etc/my list" } },
                { "root # no comment", { "Aroot", "A#", "Ano", "Acomment" } },
                { "\"|never closed", { "?" } },
                { "\"|\"", { "?" } },
                { "|", { "?" } },
                { "\\", { "?" } },
                { "a@b@c, d", { "?", "Ad" } },
                { "<>, bob", { "A", "Abob" } },
                { ":include:", { "?" } },
        };

        check_rows(rows, ARRAY_LEN(rows), destination_list_of_value);
}
END_TEST

START_TEST(lines_of_files) {
        static const Row rows[] = {
                { "bob\n", { "Abob" } },
                { "bob\nalice\n", { "Abob", "Aalice" } },
                { "bob,\n  alice\n", { "Abob", "Aalice" } },
                { "# comment\nbob\n", { "Abob" } },
                { "   # comment\n\nbob", { "Abob" } },
                { "bob,\n# comment, |x\n alice\n", { "Abob", "Aalice" } },
                { "bob\n# comment, |x\n alice\n", { "Abob", "Aalice" } },
                { "bob\n\n\n alice\n", { "Abob", "Aalice" } },
                { "\n\n#\n", { NULL } },
                { "\"|IFS=' ' && exec /usr/bin/procmail -f- || exit 75 #bob\"\n",
                  { "|IFS=' ' && exec /usr/bin/procmail -f- || exit 75 #bob" } },
                { "\\bob, \"|/usr/bin/vacation bob\"\r\n", { "Abob", "|/usr/bin/vacation bob" } },
                { "\"|never closed\nbob\n", { "?", "Abob" } },
                { "/a/b\nbob", { "F/a/b", "Abob" } },
                { "(only a comment)\nbob", { "Abob" } },
        };

        check_rows(rows, ARRAY_LEN(rows), destination_list_of_file);
}
END_TEST

START_TEST(a_nul_is_in_no_destination) {
        _cleanup_(buf_deinit) Buf got = BUF_INIT(1024);

        append_all(destination_list_of_value(str_from("/a\0b, |c\0d, e", 13)), &got);
        ck_assert_msg(str_equal(buf_str(&got), STR("?;?;Ae;")), "%.*s", STR_FMT(buf_str(&got)));
}
END_TEST

START_TEST(what_is_too_long_costs_itself_only) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(100000), got = BUF_INIT(100000);

        (void)buf_append_char(&text, '/');
        for (size_t i = 0; i < DESTINATION_MAX_BYTES; i++)
                (void)buf_append_char(&text, 'x');
        (void)buf_append_cstr(&text, ", bob");
        append_all(destination_list_of_value(buf_str(&text)), &got);
        ck_assert_msg(str_equal(buf_str(&got), STR("?;Abob;")), "%.*s", STR_FMT(buf_str(&got)));
}
END_TEST

/* Megabytes of what could make a careless reader start again at every byte. */
START_TEST(time_is_linear) {
        static const char *const units[] = {
                "(", "\"", "a,", "\\", "|\"", "<", "(a)", " \n", "#\n"
        };
        enum {
                SIZE = 2 * 1000 * 1000
        };
        char *text = malloc(SIZE);

        ck_assert_ptr_nonnull(text);
        for (size_t i = 0; i < ARRAY_LEN(units); i++) {
                _cleanup_(buf_deinit) Buf one = BUF_INIT(DESTINATION_MAX_BYTES);
                DestinationList list = destination_list_of_file(str_from(text, SIZE));
                usec_t start = clock_monotonic_usec();
                DestinationKind kind;

                for (size_t at = 0; at < SIZE; at++)
                        text[at] = units[i][at % strlen(units[i])];
                while (destination_next(&list, &one, &kind) != DESTINATION_E_END)
                        ;
                ck_assert_msg(clock_monotonic_usec() - start < 30 * USEC_PER_SEC, "%s", units[i]);
        }
        free(text);
}
END_TEST

int main(void) {
        return unit_main("destination", values_of_aliases, lines_of_files,
                         a_nul_is_in_no_destination, what_is_too_long_costs_itself_only,
                         time_is_linear, NULL);
}
