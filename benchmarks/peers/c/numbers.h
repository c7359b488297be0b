/* exp, log and normal quantiles in single precision, and Philox, as painlab.numerics and painlab.randomness have them. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LOOP __attribute__((noinline)) static /* inlined, its arrays would no longer be known not to overlap */
#define EACH for (int i = 0; i < LANES; i++)
#define DRAWS 6
#define ROW (LANES + 16) /* rows at powers of two would share few places of the cache */

static inline float least(float a, float b) { return a < b ? a : b; }
static inline float most_of(float a, float b) { return a > b ? a : b; }
static inline float held(float x, float low, float high) { return least(most_of(x, low), high); }

static inline float exp_(float x) {
    x = held(x, -87.0f, 88.0f);
    float k = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
    float r = (x - k * 0.693359375f) - k * -2.12194440e-4f, r2 = r * r;
    float tail = (1.0f / 2 + 1.0f / 6 * r) + (1.0f / 24 + 1.0f / 120 * r) * r2 + (1.0f / 720 + 1.0f / 5040 * r) * (r2 * r2);
    int32_t bits = (int32_t)((uint32_t)((int32_t)k + 127) << 23);
    float scale;
    memcpy(&scale, &bits, 4);
    return (1.0f + (r + tail * r2)) * scale;
}

static inline float log_(float x) {
    int32_t bits;
    memcpy(&bits, &x, 4);
    bits -= 0x3F3504F3;
    float exponent = (float)(bits >> 23), mantissa;
    bits = (bits & 0x007FFFFF) + 0x3F3504F3;
    memcpy(&mantissa, &bits, 4);
    float f = (mantissa - 1.0f) / (mantissa + 1.0f), f2 = f * f;
    float series = f2 * ((1.0f / 3 + 1.0f / 5 * f2) + (1.0f / 7 + 1.0f / 9 * f2) * (f2 * f2));
    return exponent * 0.693359375f + (2.0f * (f + f * series) + exponent * -2.12194440e-4f);
}

static inline float logistic(float x) { return 1.0f / (1.0f + exp_(-x)); }
static inline float power(float base, float exponent) { return exp_(exponent * log_(base)); }
static inline float shifted(float chance, float log_odds) { return chance / (chance + (1.0f - chance) * exp_(-log_odds)); }
static inline float waned(float half_life) { return 1.0f - exp_(-0.6931471805599453f / half_life); }
static inline float saturating(float dose, float half) { return dose / (dose + half); }

static inline float standard_normal(float u) {
    float q = u - 0.5f, r = q * q;
    float top = ((((-39.69683028665376f * r + 220.9460984245205f) * r - 275.9285104469687f) * r + 138.3577518672690f) * r - 30.66479806614716f)
                    * r + 2.506628277459239f;
    float bottom = ((((-54.47609879822406f * r + 161.5858368580409f) * r - 155.6989798598866f) * r + 66.80131188771972f) * r
                    - 13.28068155288572f) * r + 1.0f;
    float center = top * q / bottom;
    float s = sqrtf(-2.0f * log_(least(u, 1.0f - u)));
    float top2 = ((((-7.784894002430293e-03f * s - 3.223964580411365e-01f) * s - 2.400758277161838f) * s - 2.549732539343734f) * s
                  + 4.374664141464968f) * s + 2.938163982698783f;
    float bottom2 = (((7.784695709041462e-03f * s + 3.224671290700398e-01f) * s + 2.445134137142996f) * s + 3.754408661907416f) * s + 1.0f;
    float tail = top2 / bottom2;
    tail = u < 0.5f ? tail : -tail;
    return fabsf(q) <= 0.47575f ? center : tail;
}

static float normal_share(float x) {
    float t = 1.0f / (1.0f + 0.2316419f * fabsf(x));
    float series = 0.319381530f + t * (-0.356563782f + t * (1.781477937f + t * (-1.821255978f + t * 1.330274429f)));
    float tail = exp_(-0.5f * x * x) * 0.3989422804014327f * t * series;
    return x > 0.0f ? 1.0f - tail : tail;
}

/* chance: Philox 4x32-10, six uniform numbers of 21 bits from a block of 128 */

static inline int filled(int count) { return (count + 15) / 16 * 16; }

enum { BODY = 0, PRESCRIBING = 1, SESSION = 2, REFERRAL = 3, TRAITS_BODY = 4, TRAITS_MIND = 5, TRAITS_OPIOID = 6 };

static inline float unit(uint64_t bits) { return ((float)(int32_t)bits + 0.5f) * 0x1p-21f; }

#ifdef __AVX2__
#include <immintrin.h>
typedef __m256i Word; /* 32 bits of four patients, each in 64: gcc shuffles much to pack them closer */
#define TIMES(a, m) _mm256_mul_epu32(a, _mm256_set1_epi64x(m))
#define HIGH(a) _mm256_srli_epi64(a, 32)
#define ALL(x) _mm256_set1_epi64x(x)
#else
typedef uint64_t Word;
#define TIMES(a, m) ((uint64_t)(uint32_t)(a) * (m))
#define HIGH(a) ((a) >> 32)
#define ALL(x) (x)
#endif

/* Six uniform numbers, shape (DRAWS, LANES), of patients first + lanes[i]; count is filled up to a whole number of vectors. */
LOOP void draw(uint64_t seed, uint64_t first, uint32_t week, uint32_t block, uint32_t treatment, int count, const int32_t *restrict lanes,
               float (*restrict u)[ROW]) {
    _Alignas(32) uint64_t words[4][LANES], patients[LANES];
    count = filled(count);
    for (int i = 0; i < count; i++) patients[i] = first + (uint64_t)lanes[i];
    for (int i = 0; i < count; i += (int)(sizeof(Word) / 8)) {
        Word a = *(const Word *)&patients[i], b = HIGH(a), c = ALL(week * 256u + block), d = ALL(treatment);
        uint32_t x = (uint32_t)seed, y = (uint32_t)(seed >> 32);
#pragma GCC unroll 10
        for (int k = 0; k < 10; k++, x += 0x9E3779B9u, y += 0xBB67AE85u) {
            Word p = TIMES(a, 0xD2511F53u), q = TIMES(c, 0xCD9E8D57u);
            a = HIGH(q) ^ b ^ ALL(x);
            c = HIGH(p) ^ d ^ ALL(y);
            b = q;
            d = p;
        }
        *(Word *)&words[0][i] = a, *(Word *)&words[1][i] = b, *(Word *)&words[2][i] = c, *(Word *)&words[3][i] = d;
    }
    for (int i = 0; i < count; i++) {
        uint32_t a = (uint32_t)words[0][i], b = (uint32_t)words[1][i], c = (uint32_t)words[2][i], d = (uint32_t)words[3][i];
        u[0][i] = unit(a >> 11);
        u[1][i] = unit(b >> 11);
        u[2][i] = unit(c >> 11);
        u[3][i] = unit(d >> 11);
        u[4][i] = unit((a & 0x7FFu) << 10 | (b & 0x3FFu));
        u[5][i] = unit((c & 0x7FFu) << 10 | (d & 0x3FFu));
    }
}
