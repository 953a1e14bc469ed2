/*
 * A desktop for tests: owns org.freedesktop.Notifications on the user's bus and prints each call of
 * Notify as one line, `ICON|ID|SUMMARY|BODY`, in which control bytes and backslashes are written as
 * \xNN. The first line is "ready". Ends when killed.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

static void print_escaped(const char *text) {
        for (; *text; text++) {
                if ((unsigned char)*text < 0x20 || *text == '\\')
                        (void)printf("\\x%02x", (unsigned char)*text);
                else
                        (void)putchar(*text);
        }
}

static int method_notify(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const char *application, *icon, *summary, *body;
        uint32_t replaces;
        int r;

        r = sd_bus_message_read(call, "susss", &application, &replaces, &icon, &summary, &body);
        if (r < 0)
                return r;
        (void)printf("%s|%u|", icon, replaces);
        print_escaped(summary);
        (void)putchar('|');
        print_escaped(body);
        (void)putchar('\n');
        (void)fflush(stdout);
        return sd_bus_reply_method_return(call, "u", 1U);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", method_notify, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int fail(const char *what, int r) {
        (void)fprintf(stderr, "%s: %s\n", what, strerror(-r));
        return EXIT_FAILURE;
}

int main(void) {
        static const char name[] = "org.freedesktop.Notifications";
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_user(&bus);
        if (r < 0)
                return fail("bus", r);
        r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/Notifications", name, vtable,
                                     NULL);
        if (r >= 0)
                r = sd_bus_request_name(bus, name, 0);
        if (r < 0)
                return fail(name, r);
        (void)puts("ready");
        (void)fflush(stdout);
        for (;;) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        return fail("bus", r);
        }
}
