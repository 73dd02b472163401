/* SPDX-License-Identifier: Apache-2.0 */
/* Subject and issuer of an X.509 certificate as short text, by a bounded walk over its DER. */
#ifndef CAMSPAN_PROTOCOLS_X509_NAME_H
#define CAMSPAN_PROTOCOLS_X509_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X509_NAME_SIZE 192

struct x509_names {
	char subject[X509_NAME_SIZE]; /* "C=CN,O=Example,CN=camera", in the certificate's order */
	char issuer[X509_NAME_SIZE];
};

/* `certificate` may be cut off behind its subject. False when either name cannot be reached. */
bool x509_names_read(struct x509_names *names, const uint8_t *certificate, size_t length);

#endif
