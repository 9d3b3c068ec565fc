/** The container secret: a signed token that says who may serve until when, checked without a network. Knows net. */
package io.moebius.license;
