/* sanitized.h: which sanitizers a source is compiled for, 0 or 1 each: gcc defines macros, clang answers __has_feature. */
#ifndef RPP_SANITIZED_H
#define RPP_SANITIZED_H

#if defined(__has_feature)
#define RPP_HAS_FEATURE(feature) __has_feature(feature)
#else
#define RPP_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || RPP_HAS_FEATURE(address_sanitizer)
#define RPP_ADDRESS_SANITIZER 1
#else
#define RPP_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || RPP_HAS_FEATURE(thread_sanitizer)
#define RPP_THREAD_SANITIZER 1
#else
#define RPP_THREAD_SANITIZER 0
#endif

#endif
