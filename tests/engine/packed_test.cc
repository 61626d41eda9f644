// Constants that a plan brings along packed, as the file holds them.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/hash.h"
#include "engine/format.h"
#include "engine/read.h"
#include "engine/write.h"
#include "sample.h"

namespace hone {
namespace {
using Bytes = std::vector<std::byte>;

std::string golden_path() { return HONE_SOURCE_DIR "/tests/data/golden_v1_1.hone"; }

Result<EngineData> read(std::span<const std::byte> bytes, bool verify = false) {
  HONE_TRY(Tensor copy, Tensor::allocate(DType::u8, Shape{static_cast<Dim>(bytes.size())}));
  std::memcpy(copy.bytes(), bytes.data(), bytes.size());
  return read_engine_bytes(copy.owner(), {static_cast<const std::byte*>(copy.bytes()), bytes.size()},
                           {.verify_constants = verify});
}

uint16_t minor_of(const Bytes& b) {
  uint16_t minor;
  std::memcpy(&minor, b.data() + offsetof(format::FileHeader, minor), sizeof minor);
  return minor;
}

format::SectionEntry section(const Bytes& b, format::SectionType type, int nth = 0) {
  format::FileHeader h;
  std::memcpy(&h, b.data(), sizeof h);
  for (uint32_t i = 0; i < h.section_count; i++) {
    format::SectionEntry e;
    std::memcpy(&e, b.data() + sizeof h + i * sizeof e, sizeof e);
    if (e.type == static_cast<uint32_t>(type) && nth-- == 0) return e;
  }
  ADD_FAILURE() << "no such section";
  return {};
}

// Puts right the checksums of header and sections.
void mend(Bytes& b) {
  format::FileHeader h;
  std::memcpy(&h, b.data(), sizeof h);
  for (uint32_t i = 0; i < h.section_count; i++) {
    format::SectionEntry e;
    std::byte* at = b.data() + sizeof h + i * sizeof e;
    std::memcpy(&e, at, sizeof e);
    if (e.type != static_cast<uint32_t>(format::SectionType::bytes))
      e.checksum = hash64(b.data() + e.offset, e.size);
    std::memcpy(at, &e, sizeof e);
  }
  h.checksum = 0;
  std::memcpy(b.data(), &h, sizeof h);
  h.checksum = hash64(b.data(), sizeof h + h.section_count * sizeof(format::SectionEntry));
  std::memcpy(b.data(), &h, sizeof h);
}

TEST(PackedConstants, come_back_as_they_were_written) {
  const EngineData e = packed_sample_engine();
  const auto bytes = engine_bytes(e);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(minor_of(*bytes), 1);
  auto back = read(*bytes, true);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(back->plans[0].packed.empty());
  ASSERT_EQ(back->plans[1].packed.size(), 2u);
  for (size_t i = 0; i < 2; i++) {
    const PackedConstants &want = e.plans[1].packed[i], &got = back->plans[1].packed[i];
    EXPECT_EQ(got.layout, want.layout);
    EXPECT_EQ(got.constants, want.constants);
    ASSERT_EQ(got.bytes.shape(), want.bytes.shape());
    EXPECT_EQ(
        0, std::memcmp(got.bytes.bytes(), want.bytes.bytes(), static_cast<size_t>(want.bytes.byte_size())));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(got.bytes.bytes()) % format::alignment, 0u);
  }
  EXPECT_EQ(*engine_bytes(*back), *bytes);
}

TEST(PackedConstants, a_file_without_them_is_what_it_was_before_there_were_any) {
  EngineData e = packed_sample_engine();
  for (Plan& plan : e.plans) plan.packed.clear();
  const auto bytes = engine_bytes(e);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(minor_of(*bytes), 0);
  EXPECT_EQ(*bytes, *engine_bytes(sample_engine()));
}

TEST(PackedConstants, of_constants_that_do_not_exist_or_of_another_type_are_refused) {
  auto refused = [](auto&& change, const char* word) {
    EngineData e = packed_sample_engine();
    change(e.plans[1].packed[0]);
    const auto bytes = engine_bytes(e);
    ASSERT_FALSE(bytes) << word;
    EXPECT_NE(bytes.error().message.find(word), std::string::npos) << bytes.error().message;
  };
  refused([](PackedConstants& p) { p.constants[0] = 1000; }, "constant 1000 of 8");
  refused([](PackedConstants& p) { p.constants[0] = -2; }, "constant -2");
  refused([](PackedConstants& p) { p.bytes = Tensor(); }, "no u8[n]");
  refused([](PackedConstants& p) { p.bytes = Tensor::scalar<uint8_t>(DType::u8, 1); }, "no u8[n]");
  refused([](PackedConstants& p) { p.bytes = Tensor::of<float>(DType::f32, {1}); }, "no u8[n]");
}

TEST(PackedConstants, that_are_damaged_are_found_when_asked_for) {
  auto bytes = *engine_bytes(packed_sample_engine());
  auto good = read(bytes);
  ASSERT_TRUE(good);
  bytes.back() ^= std::byte{1};  // the last tensor of all is the last packed one
  EXPECT_TRUE(read(bytes, false));
  auto e = read(bytes, true);
  ASSERT_FALSE(e);
  EXPECT_NE(e.error().message.find("are damaged"), std::string::npos) << e.error().message;
}

TEST(PackedConstants, behind_right_checksums_damage_never_crashes) {
  const auto good = *engine_bytes(packed_sample_engine());
  const char* text = std::getenv("HONE_SEED");
  std::mt19937 random(text ? static_cast<unsigned>(std::atoi(text)) : 20250101u);
  // The second plan, whose end are the packed constants, and the table of tensors.
  const format::SectionEntry places[] = {section(good, format::SectionType::plan, 1),
                                         section(good, format::SectionType::tensors)};
  int refused = 0;
  for (int round = 0; round < 10000; round++) {
    Bytes bad = good;
    const auto& s = places[round % 2];
    const size_t tail = std::min<size_t>(s.size, 200), at = s.offset + s.size - 1 - random() % tail;
    if (random() % 2) bad[at] = std::byte{0xff};
    else bad[at] ^= static_cast<std::byte>(1u << random() % 8);
    mend(bad);
    auto e = read(bad, round % 4 == 0);
    refused += !e;
    if (!e) continue;
    const auto again = engine_bytes(*e);  // what was accepted can be written
    EXPECT_TRUE(again) << round << ": " << again.error().message;
  }
  EXPECT_GT(refused, 1000);
}

TEST(PackedConstants, the_golden_file_of_version_1_1_reads_for_ever) {
  const char* update = std::getenv("HONE_UPDATE");
  if (update && *update == '1') { ASSERT_TRUE(write_engine(packed_sample_engine(), golden_path())); }
  auto file = MappedFile::open(golden_path());
  ASSERT_TRUE(file) << file.error().message;
  auto e = read_engine(*file, {.verify_constants = true});
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(*engine_bytes(packed_sample_engine()), *engine_bytes(*e));
}

}  // namespace
}  // namespace hone
