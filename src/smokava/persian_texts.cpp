#include "smokava/persian_texts.h"

#include <array>

// Right-to-left text: the formatter breaks it differently on each run.
// clang-format off
namespace holdfast::smokava::texts {
namespace {

constexpr Name first_name_list[] = {
    {"علی", "ali"},         {"محمد", "mohammad"},  {"رضا", "reza"},       {"حسین", "hossein"},
    {"امیر", "amir"},       {"مهدی", "mahdi"},     {"سعید", "saeed"},     {"بهنام", "behnam"},
    {"آرش", "arash"},       {"کیان", "kian"},      {"پویا", "pouya"},     {"سینا", "sina"},
    {"نیما", "nima"},       {"بابک", "babak"},     {"فرهاد", "farhad"},   {"شهرام", "shahram"},
    {"کامران", "kamran"},   {"داریوش", "dariush"}, {"پارسا", "parsa"},    {"ایمان", "iman"},
    {"حامد", "hamed"},      {"مجید", "majid"},     {"یاسر", "yaser"},     {"میلاد", "milad"},
    {"زهرا", "zahra"},      {"مریم", "maryam"},    {"فاطمه", "fatemeh"},  {"سارا", "sara"},
    {"نگار", "negar"},      {"الهام", "elham"},    {"نرگس", "narges"},    {"شیما", "shima"},
    {"پریسا", "parisa"},    {"مهسا", "mahsa"},     {"نازنین", "nazanin"}, {"یاسمن", "yasaman"},
    {"ترانه", "taraneh"},   {"لیلا", "leila"},     {"سمیرا", "samira"},   {"رها", "raha"},
    {"آناهیتا", "anahita"}, {"گلناز", "golnaz"},   {"شیرین", "shirin"},   {"هانیه", "hanieh"},
    {"غزل", "ghazal"},      {"کیمیا", "kimia"},    {"مینا", "mina"},      {"ستاره", "setareh"},
};

constexpr Name last_name_list[] = {
    {"محمدی", "mohammadi"},
    {"احمدی", "ahmadi"},
    {"حسینی", "hosseini"},
    {"رضایی", "rezaei"},
    {"کریمی", "karimi"},
    {"موسوی", "mousavi"},
    {"جعفری", "jafari"},
    {"صادقی", "sadeghi"},
    {"رحیمی", "rahimi"},
    {"ابراهیمی", "ebrahimi"},
    {"قاسمی", "ghasemi"},
    {"حیدری", "heydari"},
    {"نوری", "nouri"},
    {"شریفی", "sharifi"},
    {"اکبری", "akbari"},
    {"باقری", "bagheri"},
    {"تهرانی", "tehrani"},
    {"شیرازی", "shirazi"},
    {"اصفهانی", "esfahani"},
    {"یوسفی", "yousefi"},
    {"فرهادی", "farhadi"},
    {"سلیمانی", "soleimani"},
    {"خسروی", "khosravi"},
    {"مرادی", "moradi"},
    {"نجفی", "najafi"},
    {"زارع", "zare"},
    {"طاهری", "taheri"},
    {"امینی", "amini"},
    {"پاکزاد", "pakzad"},
    {"رستمی", "rostami"},
    {"عباسی", "abbasi"},
    {"کاظمی", "kazemi"},
    {"گودرزی", "goudarzi"},
    {"میرزایی", "mirzaei"},
    {"نیک‌پور", "nikpour"},
    {"هاشمی", "hashemi"},
    {"وحیدی", "vahidi"},
    {"یزدانی", "yazdani"},
    {"افشار", "afshar"},
    {"بهرامی", "bahrami"},
    {"توکلی", "tavakoli"},
    {"جمشیدی", "jamshidi"},
    {"دانشور", "daneshvar"},
    {"راد", "rad"},
    {"سپهری", "sepehri"},
    {"شفیعی", "shafiei"},
    {"ضیایی", "ziaei"},
    {"فلاح", "fallah"},
};

constexpr City city_list[] = {
    {"تهران", "Tehran", 513'890, 356'892, "021"},   {"مشهد", "Mashhad", 596'168, 362'972, "051"},
    {"اصفهان", "Isfahan", 516'660, 326'546, "031"}, {"شیراز", "Shiraz", 525'837, 295'918, "071"},
    {"تبریز", "Tabriz", 462'919, 380'800, "041"},   {"کرج", "Karaj", 509'391, 358'400, "026"},
    {"اهواز", "Ahvaz", 486'706, 313'183, "061"},    {"رشت", "Rasht", 495'832, 372'808, "013"},
    {"کیش", "Kish", 539'800, 265'578, "076"},       {"یزد", "Yazd", 543'570, 318'974, "035"},
};

constexpr Name street_list[] = {
    {"ولیعصر", "Valiasr"},
    {"شریعتی", "Shariati"},
    {"فرشته", "Fereshteh"},
    {"نیاوران", "Niavaran"},
    {"اندرزگو", "Andarzgou"},
    {"پاسداران", "Pasdaran"},
    {"جردن", "Jordan"},
    {"سعادت‌آباد", "Saadatabad"},
    {"میرداماد", "Mirdamad"},
    {"چهارباغ", "Chaharbagh"},
    {"آزادی", "Azadi"},
    {"انقلاب", "Enghelab"},
    {"کارگر شمالی", "North Kargar"},
    {"بهشتی", "Beheshti"},
    {"مطهری", "Motahari"},
    {"گلستان", "Golestan"},
    {"بلوار کشاورز", "Keshavarz Blvd"},
    {"دربند", "Darband"},
};

constexpr Name restaurant_name_list[] = {
    {"باغ ایرانی", "Persian Garden"},
    {"شب‌های تهران", "Tehran Nights"},
    {"کافه نارنج", "Naranj Cafe"},
    {"سرای ابریشم", "Silk House"},
    {"بام شهر", "City Roof"},
    {"لانژ آبی", "Blue Lounge"},
    {"کوچه باغ", "Kouche Bagh"},
    {"عمارت شاهی", "Royal Mansion"},
    {"دیزی‌سرای ما", "Our Dizi House"},
    {"رستوران نخل", "Nakhl Restaurant"},
    {"کافه دود", "Smoke Cafe"},
    {"سفره‌خانه سنتی طوبی", "Touba Traditional House"},
    {"ویلای ماه", "Moon Villa"},
    {"آلاچیق", "Alachigh"},
    {"کافه رز", "Rose Cafe"},
    {"تراس پاییز", "Autumn Terrace"},
    {"خانه هنر", "House of Art"},
    {"مهتاب", "Mahtab"},
    {"نقش جهان", "Naghsh-e Jahan"},
    {"لب آب", "Riverside"},
};

constexpr std::string_view flavor_list[] = {
    "دو سیب",       "نعنا",          "هلو",        "پرتقال خامه", "بلوبری",      "لیمو نعنا",
    "آدامس دارچین", "انگور نعنا",    "هندوانه یخ", "توت فرنگی",   "قهوه",        "شکلات نعنا",
    "لاو ۶۶",       "سیب یخ",        "پاستیل",     "انبه",        "رد بول",      "بستنی وانیل",
    "گریپ فروت",    "آناناس نارگیل", "هلو یخ",     "تمشک",        "زعفران و هل", "مخصوص سرآشپز",
};

constexpr std::string_view biography_list[] = {
    "عاشق سفر، قهوه و شب‌های بلند تهران",
    "برنامه‌نویس | طرفدار پرسپولیس",
    "معمار. اگر جای خوبی دیدید خبرم کنید",
    "زندگی کوتاه است، دسر را اول بخور 🍰",
    "دنبال بهترین دو سیب شهر",
    "عکاس آزاد ـ همکاری: دایرکت",
    "گیتار می‌زنم و کم می‌خوابم",
    "از شیراز، شهر راز",
    "همین حوالی…",
    "پزشک عمومی، پدر دو دختر",
    "کتاب، کوه، رفیق",
    "اینجا فقط خوشی‌ها ثبت می‌شود ✨",
    "دانشجوی ارشد صنایع، شریف",
    "مدیر کافه؛ نظر شما را می‌خوانم",
    "هر جمعه یک جای تازه",
};

constexpr std::string_view restaurant_description_list[] = {
    "فضای باز با چشم‌انداز شهر، موسیقی زنده پنجشنبه‌ها و جمعه‌ها "
    "از "
    "ساعت "
    "۲۰.",
    "باغی آرام با حوض و آلاچیق؛ مناسب خانواده. رزرو پیش از ساعت ۱۸ لازم است.",
    "لانژ مدرن با منوی فصلی، قهوه تخصصی و بیش از بیست طعم قلیان.",
    "سفره‌خانه سنتی با غذاهای محلی و چای آتشی.",
    "طبقه دوم، پارکینگ دارد. آخرین سفارش یک و نیم بامداد.",
    "محیط دنج برای دورهمی‌های کوچک، اینترنت رایگان.",
};

constexpr std::string_view opening_list[] = {
    "یک شب عالی در {restaurant}",
    "بعد از مدت‌ها دوباره {restaurant} 😍",
    "{flavor} اینجا حرف ندارد!",
    "پیشنهاد امشب: {flavor}",
    "با بچه‌ها در {restaurant}، جای همه خالی",
    "اگر طعم {flavor} دوست دارید حتماً امتحان کنید",
    "جمعه‌ها فقط {restaurant}",
    "برای اولین بار {flavor} سفارش دادم و غافلگیر شدم",
    "هوا خنک، چای داغ، {flavor}",
    "تولد بهترین رفیق دنیا 🎂 {restaurant}",
    "آخر هفته خود را این‌طور تمام کردیم",
    "از {restaurant} انتظار بیشتری داشتم",
};

constexpr std::string_view middle_list[] = {
    "سرویس سریع بود و کارکنان خوش‌برخورد.",
    "ذغال را مدام عوض می‌کردند و دود تا آخر سنگین ماند.",
    "موسیقی زنده کمی بلند بود ولی فضا دلنشین.",
    "میز کنار پنجره بگیرید، منظره شهر دیدنی است.",
    "با بسته اشتراکی حساب کردیم و خیلی به‌صرفه شد.",
    "شلوغ بود و بیست دقیقه منتظر میز ماندیم.",
    "قیمت‌ها نسبت به کیفیت منصفانه است.",
    "نعنا کم داشت اما در کل راضی بودیم.",
    "",
};

constexpr std::string_view ending_list[] = {
    "حتماً برمی‌گردم 🙌",
    "امتیاز من: ۹ از ۱۰",
    "ممنون از همه بچه‌ها ❤️",
    "#قلیان #شب_تهران",
    "شما هم بروید.",
    "عکس از خودم 📷",
    "",
    "",
    "تا هفته بعد!",
};

constexpr std::string_view comment_list[] = {
    "نوش جان!",
    "جای ما خالی 😅",
    "کدام شعبه؟",
    "عکس فوق‌العاده است 👏",
    "آخرین بار که رفتم خیلی شلوغ بود، هنوز هم همان‌طور "
    "است؟",
    "دفعه بعد من را هم خبر کن",
    "قیمتش چند شد؟",
    "به نظرم طعم نعنای آنجا بهتر است",
    "عالی عالی عالی",
    "چه نور قشنگی 😍",
    "برای خانواده مناسب است؟",
    "من هم همین را سفارش دادم، بی‌نظیر بود",
    "❤️❤️❤️",
    "سلام، جای پارک هست؟",
    "پنجشنبه می‌رویم، مرسی از معرفی",
    "اصلاً راضی نبودم، سرد آوردند",
    "دمت گرم",
    "باید رزرو کرد یا نه؟",
    "خاطره شد برایمان",
    "کد تخفیف ندارید؟ 😄",
};

constexpr std::string_view moderation_reason_list[] = {
    "توهین به دیگر کاربران",
    "تبلیغ بدون هماهنگی",
    "تصویر نامرتبط با رستوران",
    "انتشار شماره تماس شخصی",
    "محتوای تکراری (اسپم)",
    "گزارش چند کاربر؛ پس از بررسی حذف شد",
    "درخواست خود کاربر از راه پشتیبانی",
};

void append_filled(std::string& out, std::string_view pattern, std::string_view flavor,
                   std::string_view restaurant) {
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) return;
    const auto close = pattern.find('}', open);
    out += pattern.substr(open, close - open + 1) == "{flavor}" ? flavor : restaurant;
    pattern.remove_prefix(close + 1);
  }
}

}  // namespace

std::span<const Name> first_names() { return first_name_list; }
std::span<const Name> last_names() { return last_name_list; }
std::span<const City> cities() { return city_list; }
std::span<const Name> streets() { return street_list; }
std::span<const Name> restaurant_names() { return restaurant_name_list; }
std::span<const std::string_view> flavors() { return flavor_list; }
std::span<const std::string_view> biographies() { return biography_list; }
std::span<const std::string_view> restaurant_descriptions() { return restaurant_description_list; }
std::span<const std::string_view> comments() { return comment_list; }
std::span<const std::string_view> moderation_reasons() { return moderation_reason_list; }

std::string caption(Dice& dice, std::string_view flavor, std::string_view restaurant) {
  std::string text;
  append_filled(text, dice.pick(opening_list), flavor, restaurant);
  const auto middle = dice.pick(middle_list);
  if (!middle.empty()) text.append(". ").append(middle);
  const auto ending = dice.pick(ending_list);
  if (!ending.empty()) text.append("\n").append(ending);
  return text;
}

std::string persian_number(std::uint64_t number, bool grouped) {
  static constexpr std::array<std::string_view, 10> digits = {"۰", "۱", "۲", "۳", "۴",
                                                              "۵", "۶", "۷", "۸", "۹"};
  const auto plain = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (grouped && i > 0 && (plain.size() - i) % 3 == 0) text += "٬";
    text += digits[static_cast<std::size_t>(plain[i] - '0')];
  }
  return text;
}

}  // namespace holdfast::smokava::texts
// clang-format on
