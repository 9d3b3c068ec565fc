/**
 * Connections to other machines, through the proxies that the environment names.
 * Knows no other package.
 */
package io.moebius.net;
