#pragma once

/*
 * IP addresses as parameters and mail addresses have them: inet_interfaces, "user@[192.0.2.1]".
 * Pure: no name is looked up and no interface is asked (who resolves has no network to see).
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

typedef struct InetAddress {
        bool is_v6;
        uint8_t bytes[16]; /* network order; the first 4 where it is v4 */
} InetAddress;

/* "192.0.2.1", "2001:db8::1". False: none. */
bool inet_address_parse(Str text, InetAddress *ret);

/* A domain literal, RFC 5321 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]". False: none. */
bool inet_literal_parse(Str domain, InetAddress *ret);

/*
 * Is ADDRESS in LIST (white space and commas)? Entries are addresses, v6 ones with or without
 * brackets; "all", "loopback-only" and "localhost" stand for 127.0.0.1 and ::1. Other names
 * stand for nothing.
 */
bool inet_list_has(Str list, const InetAddress *address);
