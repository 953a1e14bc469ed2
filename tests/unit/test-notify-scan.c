/* New messages of an mbox: bytes in, news out; and what mail readers do is none. */

#include "services/notify/scan.h"
#include "tests/unit/unit.h"

#define FROM      "From a  Tue Nov 24 22:00:51 2026\n"
#define FIELDS(n) "Received: by x; " n "\nFrom: sender " n "\nSubject: subject " n "\n"
#define MAIL(n)   FROM FIELDS(n) "\ntext\n\n"
#define READ(n)   FROM FIELDS(n) "Status: RO\n\ntext\n\n"

/* Known ids, found ids and news of one scan after another. */
typedef struct World {
        Ids known, found;
        News news;
} World;

static void world_init(World *world) {
        *world = (World){ 0 };
        news_init(&world->news);
}

static void world_deinit(World *world) {
        ids_deinit(&world->known);
        ids_deinit(&world->found);
        news_deinit(&world->news);
}

static void scan(World *world, const char *content, size_t piece, bool is_start) {
        Scan scan;
        Str rest = str_from_cstr(content);

        ids_deinit(&world->found);
        news_reset(&world->news);
        scan_init(&scan, &world->known, &world->found, &world->news, is_start);
        for (; rest.len > 0; rest = str_skip(rest, piece))
                ck_assert_int_eq(scan_add(&scan, str_first(rest, piece)), 0);
        scan_deinit(&scan);
}

/* All that was found is known from here on. */
static void learn(World *world) {
        ids_deinit(&world->known);
        world->known = world->found;
        world->found = IDS_NULL;
        ids_sort(&world->known);
}

static void check_newest(const World *world, const char *expected) {
        _cleanup_(buf_deinit) Buf summary = BUF_INIT(NEWS_SUMMARY_MAX);
        _cleanup_(buf_deinit) Buf body = BUF_INIT(NEWS_BODY_MAX_BYTES);

        ck_assert_int_eq(news_format(&world->news, &summary, &body), 0);
        ck_assert_str_eq(buf_cstr(&body), expected);
}

static const struct {
        const char *before, *now;
        uint64_t n_found, n_new;
        const char *body;
} cases[] = {
        { "", "", 0, 0, "" },
        { "", MAIL("1"), 1, 1, "sender 1: subject 1" },
        { MAIL("1"), MAIL("1"), 1, 0, "" },
        { MAIL("1"), MAIL("1") MAIL("2") MAIL("3"), 3, 2,
          "sender 3: subject 3\nsender 2: subject 2" },
        /* read, deleted, read and deleted, replaced */
        { MAIL("1") MAIL("2"), READ("1") READ("2"), 2, 0, "" },
        { MAIL("1") MAIL("2"), READ("1") READ("2") MAIL("3"), 3, 1, "sender 3: subject 3" },
        { MAIL("1") MAIL("2"), MAIL("2"), 1, 0, "" },
        { MAIL("1") MAIL("2"), "", 0, 0, "" },
        { MAIL("1") MAIL("2"), MAIL("3"), 1, 1, "sender 3: subject 3" },
        /* an unknown message that is read, or in front of a known one */
        { MAIL("1"), MAIL("1") READ("2"), 2, 0, "" },
        { MAIL("2"), MAIL("1") MAIL("2"), 2, 0, "" },
        /* only a From_ line behind an empty line begins a message */
        { "", "x\n" MAIL("1"), 0, 0, "" },
        { "", "\n" MAIL("1"), 1, 1, "sender 1: subject 1" },
        { "", FROM FIELDS("1") "\nx\nFrom me\nSubject: y\n\n", 1, 1, "sender 1: subject 1" },
        { "", FROM FIELDS("1") "no field\n\n" MAIL("2"), 2, 2,
          "sender 2: subject 2\nsender 1: subject 1" },
        { "", "From: not a From_ line\n\n", 0, 0, "" },
        /* not all there yet */
        { "", MAIL("1") FROM FIELDS("2"), 1, 1, "sender 1: subject 1" },
        { "", MAIL("1") FROM FIELDS("2") "\n", 2, 2, "sender 2: subject 2\nsender 1: subject 1" },
        /* CR LF, folding, a second subject, no fields */
        { "", "From a\r\nSubject: x\r\n y\r\nsubject: z\r\nFROM : me\r\n\r\nt\r\n", 1, 1,
          "me: x y" },
        { "", FROM "\n", 1, 1, "(unknown sender): (no subject)" },
        { "", FROM "status: O\n\n", 1, 0, "" },
};

START_TEST(new_messages_are_found_in_any_pieces) {
        for (size_t piece = 1; piece < 200; piece += piece < 4 ? 1 : 60) {
                _cleanup_(world_deinit) World world;

                world_init(&world);
                scan(&world, cases[_i].before, 1000, true);
                learn(&world);
                scan(&world, cases[_i].now, piece, true);
                ck_assert_uint_eq(world.found.n, cases[_i].n_found);
                ck_assert_uint_eq(world.news.n, cases[_i].n_new);
                check_newest(&world, cases[_i].body);
        }
}
END_TEST

START_TEST(the_end_of_a_large_mailbox_begins_anywhere) {
        _cleanup_(world_deinit) World world;

        world_init(&world);
        scan(&world, FROM "text that looks so\n\n" MAIL("1"), 1000, false);
        ck_assert_uint_eq(world.found.n, 1);
        check_newest(&world, "sender 1: subject 1");
}
END_TEST

START_TEST(a_long_line_costs_no_memory) {
        _cleanup_(world_deinit) World world;
        static char block[1 << 20];
        Scan scanner;

        world_init(&world);
        scan_init(&scanner, &world.known, &world.found, &world.news, true);
        ck_assert_int_eq(scan_add(&scanner, STR("From a\nSubject: ")), 0);
        memset(block, 'x', sizeof(block));
        for (int i = 0; i < 10; i++)
                ck_assert_int_eq(scan_add(&scanner, str_from(block, sizeof(block))), 0);
        ck_assert_int_eq(scan_add(&scanner, STR("\n\n")), 0);
        ck_assert_uint_le(scanner.line.cap + scanner.head.subject.cap, 16384);
        ck_assert_uint_eq(world.news.n, 1);
        scan_deinit(&scanner);
}
END_TEST

START_TEST(the_oldest_id_falls_out_of_a_full_set) {
        _cleanup_(ids_deinit) Ids ids = IDS_NULL;

        for (uint32_t id = 0; id < IDS_MAX + 3; id++)
                ck_assert_int_eq(ids_add(&ids, id * 7), 0);
        ids_sort(&ids);
        ck_assert_uint_eq(ids.n, IDS_MAX);
        ck_assert(!ids_has(&ids, 0) && !ids_has(&ids, 14) && !ids_has(&ids, 22));
        ck_assert(ids_has(&ids, 21) && ids_has(&ids, (IDS_MAX + 2) * 7));
}
END_TEST

static void add_numbered(News *news, int first, int n) {
        for (int i = first; i < first + n; i++) {
                Head head;

                head_init(&head);
                ck_assert_int_eq(buf_printf(&head.from, "s%d", i), 0);
                ck_assert_int_eq(buf_printf(&head.subject, "%d", i), 0);
                ck_assert_int_eq(news_add(news, &head), 0);
                head_deinit(&head);
        }
}

START_TEST(news_of_several_mailboxes_are_one) {
        _cleanup_(buf_deinit) Buf summary = BUF_INIT(NEWS_SUMMARY_MAX);
        _cleanup_(buf_deinit) Buf body = BUF_INIT(NEWS_BODY_MAX_BYTES);
        _cleanup_(news_deinit) News all, more;

        news_init(&all);
        news_init(&more);
        add_numbered(&all, 1, 9);
        add_numbered(&more, 20, 2);
        ck_assert_int_eq(news_append(&all, &more), 0);
        news_reset(&more);
        news_add_unshown(&more, 1000000);
        add_numbered(&more, 30, 1);
        ck_assert_int_eq(news_append(&all, &more), 0);
        ck_assert_int_eq(news_format(&all, &summary, &body), 0);
        ck_assert_str_eq(buf_cstr(&summary), "1000012 new messages");
        ck_assert(str_has_prefix(buf_str(&body), STR("s30: 30\n(unknown sender): (no subject)\n")));
        news_reset(&all);
        ck_assert_uint_eq(all.newest[0].sender.len, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("notify-scan");
        TCase *tcase = tcase_create("notify-scan");

        tcase_add_loop_test(tcase, new_messages_are_found_in_any_pieces, 0, ARRAY_LEN(cases));
        tcase_add_test(tcase, the_end_of_a_large_mailbox_begins_anywhere);
        tcase_add_test(tcase, a_long_line_costs_no_memory);
        tcase_add_test(tcase, the_oldest_id_falls_out_of_a_full_set);
        tcase_add_test(tcase, news_of_several_mailboxes_are_one);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
