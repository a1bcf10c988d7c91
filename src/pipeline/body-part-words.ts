import { plainLetters } from '../base/plain-letters';

/**
 * Words for body parts in DICOM headers, by language. Case, accents and characters that are no letters do not matter
 * ({@link fold}). `word` is a whole word, `word*` a beginning and `*word` an end of one; in scripts without spaces it
 * may be anywhere. Words with another meaning in a language of the list (French `main`, Dutch `long`) are left out:
 * then the pixels decide.
 */
interface PartWords {
  /** Words for the chest as a chest film shows it. */
  readonly chest?: string;
  /** Adjectives for the chest: they count only where no other part is named beside them ("thoracic spine"). */
  readonly ofChest?: string;
  /**
   * Bones of the chest, for films exposed for bone. They may contain a word for the chest ("bony thorax"), which then
   * does not count.
   */
  readonly bones?: string;
  readonly spine?: string;
  readonly other?: string;
}

export const BODY_PART_WORDS: Readonly<Record<string, PartWords>> = {
  English: {
    chest:
      'chest, *chest, chests, chestpa, chestap, chestlat*, chestabd*, chestxr*, chestx*, cxr*, *cxr, thorax*, ' +
      '*thorax, thx, *torax, lung, lungs',
    ofChest: 'thoracic, pulmonary, intrathoracic',
    bones:
      'rib, ribs, ribcage, rib cage, sternum, sternal, clavicle, clavicles, bony thorax, hemithorax, chest ' +
      'wall, thoracic cage, costal, sternoclavicular',
    spine:
      'thoracic spine, lumbar spine, cervical spine, *spine, spinal, lumbar, lumbosacral, cervical, ' +
      'thoracolumbar, vertebra, vertebrae, vertebral, scoliosis, sacrum, coccyx',
    other:
      'hand, hands, wrist, wrists, finger, fingers, thumb, elbow, elbows, forearm, humerus, shoulder, ' +
      'shoulders, scapula, acjoint, knee, knees, patella, hip, hips, femur, tibia, fibula, tib fib, ankle, ' +
      'ankles, foot, feet, toe, toes, calcaneus, heel, leg, legs, arm, arms, pelvis, *pelvis, abdomen, ' +
      '*abdomen*, abdominal, abd, kub, skull, head, sinus, sinuses, mandible, maxilla, orbit, orbits, facial ' +
      'bones, nasal bones, zygoma, tmj, tmjoint, jaw, neck, headneck, neckchest*, mammo*, breast, breasts, ' +
      'dental, teeth, tooth, extremity, extremities, wholebody, whole body, sijoint, brain, liver, kidney, ' +
      'kidneys, stomach, bladder, colon, uterus, prostate, esophagus, oesophagus, larynx, towne, waters, ' +
      'odontoid, skyline, frogleg, frog leg',
  },
  German: {
    chest: 'brustkorb, brustraum, lunge, lungen, lungenaufnahme, lungenubersicht, herz lunge, thoraxubersicht',
    ofChest: 'thorakal*, pulmonal*',
    bones:
      'knocherner thorax, knocherner hemithorax, knocherne thorax*, thorax knochern, hemithorax, thoraxwand, ' +
      'rippe*, brustbein, schlusselbein, schluesselbein, klavikula, clavicula',
    spine:
      'wirbelsaule*, wirbelsaeule*, *wirbelsaule, *wirbelsaeule, hws, bws, lws, brustwirbel*, halswirbel*, ' +
      'lendenwirbel*, kreuzbein',
    other:
      'hande, haende, handgelenk*, handwurzel, daumen, ellenbogen*, ellbogen, unterarm, oberarm, schulter*, ' +
      'schulterblatt, knie*, hufte*, huefte*, oberschenkel, unterschenkel, sprunggelenk*, osg, usg, fuss*, ' +
      'zehe*, ferse, becken*, abdomen*, bauch*, schadel*, schaedel*, kopf, nasennebenhohlen, nnh, kiefer*, ' +
      'unterkiefer, hals, zahn*, mamma, ganzbein*',
  },
  French: {
    chest: 'poitrine, poumon, poumons, pulmonaire, pulmonaires, coeur poumons, thoraco pulmonaire, asp thorax',
    ofChest: 'thoracique*',
    bones: 'gril costal, grill costal, cage thoracique, cote, cotes, clavicule*, hemithorax, paroi thoracique',
    spine: 'rachis, colonne, vertebral*, lombaire*, cervicales, cervical, vertebre*',
    other:
      'main droite, main gauche, mains, poignet*, doigt*, pouce, coude*, avant bras, bras, epaule*, omoplate, ' +
      'genou*, rotule, hanche*, cuisse, jambe*, cheville*, pied*, orteil*, calcaneum, bassin, abdomen, ventre, ' +
      'asp, crane, tete, sinus, machoire, maxillaire, cou, sein, seins, dent, dents, panoramique',
  },
  Spanish: {
    chest: 'torax*, *torax, t rax, ta rax, pecho, pulmon, pulmones, telerradiografia de torax, telerx',
    ofChest: 'toracic*, pulmonar, pulmonares',
    bones: 'costilla*, parrilla costal, reja costal, caja toracica, esternon, clavicula*, hemitorax, pared toracica',
    spine: 'columna*, vertebra*, lumbar, lumbosacra, raquis',
    other:
      'mano, manos, muneca*, dedo, dedos, pulgar, codo*, antebrazo*, brazo*, humero*, hombro*, escapula, ' +
      'rodilla*, rotula, cadera*, muslo, pierna*, tobillo*, pie, pies, calcaneo, pelvis, abdomen, vientre, ' +
      'craneo, cabeza, senos paranasales, spn, mandibula, cuello, mama, mamas, mamografia, dental, extremidad*',
  },
  Portuguese: {
    chest: 'peito, pulmao, pulmoes',
    ofChest: 'pulmonar',
    bones: 'costela*, arcos costais, gradil costal, esterno, clavicula*',
    spine: 'coluna*, lombar, lombossacra',
    other:
      'mao, maos, punho*, cotovelo*, antebraco*, braco*, umero, ombro*, joelho*, patela, quadril, coxa, perna*, ' +
      'tornozelo*, pes, calcaneo, bacia, pelve, abdome, abdomen, cranio, cabeca, seios da face, seios ' +
      'paranasais, pescoco, mamografia, dedos, extremidade*',
  },
  Italian: {
    chest: 'torace, toracepa, polmone, polmoni, rx torace',
    ofChest: 'toracic*, polmonar*',
    bones:
      'costa, coste, costola, costole, emitorace, emicostato, emicostale, gabbia toracica, sterno, clavicola*, ' +
      'scheletro toracico',
    spine: 'rachide, colonna*, vertebral*, lombosacral*, lombare',
    other:
      'mano, mani, polso, polsi, dito, dita, gomito, gomiti, avambraccio, braccio, omero, spalla, spalle, ' +
      'scapola, ginocchio, ginocchia, rotula, anca, anche, femore, gamba, gambe, caviglia, caviglie, piede, ' +
      'piedi, calcagno, bacino, pelvi, addome, cranio, testa, seni paranasali, mandibola, collo, mammella, ' +
      'mammografia, ortopantomografia, opt',
  },
  Dutch: {
    chest: 'borstkas, longen, longfoto, hart longen, xthorax, x thorax',
    ofChest: 'thoracaal, thoracale, pulmonaal',
    bones: 'ribben, borstbeen, sleutelbeen, borstwand',
    spine: 'wervelkolom, *wervelkolom, cwk, twk, lwk',
    other:
      'handen, pols, polsen, vinger*, duim, elleboog, ellebogen, onderarm, bovenarm, schouder*, knieen, heup*, ' +
      'bovenbeen, onderbeen, enkel*, voet*, teen, tenen, bekken*, buik*, buikoverzicht, schedel, hoofd, kaak, ' +
      'gebit, borsten',
  },
  'Danish, Norwegian, Swedish': {
    chest:
      'lunger, lungor, lungrontgen, rontgen lungor, hjarta lungor, hjerte lunger, brystkasse, brostkorg, ' +
      'toraks, *toraks',
    bones: 'ribben, ribbein, revben, brystben, brystbein, brostben, kraveben, kragebein, nyckelben',
    spine: 'ryg, rygg, rygsojle, ryggrad, halsrygg, brostrygg, landrygg, lendehvirvel*, columna*',
    other:
      'haand, hander, haandled, handled, handledd, tommel, albue, armbage, underarm, overarm, skulder, axel, ' +
      'knae, kne, kna, hofte, hoft, laar, ankel, fotled, fod, fot, foter, fodder, taer, baekken, backen, ' +
      'bekken, buk, mave, hodeskalle, skalle, kranium, kranie, bihuler, bihulor, kaeve, kjeve, mammografi',
  },
  Finnish: {
    chest: 'keuhko*, rintakeha, rintakehan',
    bones: 'kylkiluu*, rintalasta, solisluu',
    spine: '*ranka, selka, selkaranka',
    other:
      'kasi, kaden, ranne, ranteen, sormi, kyynarpaa, kyynarvarsi, olkavarsi, olkapaa, olkanivel, polvi, ' +
      'polven, lonkka, lonkan, reisi, saari, nilkka, nilkan, jalka, jalkatera, lantio, vatsa, kallo, paa, nenan ' +
      'sivuontelot',
  },
  Polish: {
    chest: 'klatk* piersiow*, klp, kl piersiow*, kl p, pluc, pluca, plucn*',
    bones: 'zebra, zeber, zebro, mostek, mostka, obojczyk*',
    spine: 'kregoslup*, kregow',
    other:
      'reka, reki, dlon, dloni, nadgarstek, nadgarstka, palec, palca, lokiec, lokcia, lokciow*, przedramie*, ' +
      'ramie, ramienna, bark, barku, barkow*, lopatk*, kolano, kolana, kolanow*, biodr*, udo, uda, udow*, ' +
      'podudzi*, goleni, skokow*, stopa, stopy, pieta, pietow*, miednic*, brzuch*, brzuszn*, czaszk*, glow*, ' +
      'zatok*, zuchw*, szyi, szyja, piers, piersi, zeby, mammografi*',
  },
  'Czech, Slovak': {
    chest: 'hrudnik*, plice, plic, pluca, srdce a plice, srdce plice',
    ofChest: 'hrudni, hrudna, hrudny, plicni',
    bones: 'zebra, zeber, rebra, rebier, hrudni kost, hrudna kost, klicni kost, klucna kost',
    spine: 'pater*, *pater, chrbtic*, obratl*',
    other:
      'ruka, ruky, zapesti, zapastie, prst*, loket, loketni, lakt*, predlokti, rameno, ramene, lopatka, koleno, ' +
      'kolene, kycel*, bedr*, stehno, berec, bercov*, kotnik*, hlezno, hlezenn*, noha, nohy, chodidlo, pata, ' +
      'panev, panve, panva, bricho, bricha, brucho, brucha, lebka, lebky, lbi, hlava, hlavy, krk, prsu',
  },
  Hungarian: {
    chest: 'mellkas*, tudo',
    bones: 'borda*, bordak, szegycsont, kulcscsont',
    spine: 'gerinc*, *gerinc, csigolya*',
    other:
      'kez, kezek, csuklo, ujj, konyok, alkar, felkar, vall, terd*, csipo*, comb, labszar, boka, labfej, sarok, ' +
      'medence*, hasi, koponya, orrmelleku*, allkapocs, nyak, emlo',
  },
  Romanian: {
    chest: 'torace, toraco pulmonar*, cord pulmon, pulmon, pulmoni, pulmonara, plaman, plamani',
    bones: 'coaste, stern, grilaj costal',
    spine: 'coloana*',
    other:
      'mana, mainii, degete, antebrat, brat, umar, genunchi, femur, gamba, glezna, picior, bazin, craniu, gat, ' +
      'abdominala',
  },
  Turkish: {
    chest: 'akciger*, gogus*, toraks, pa ac, ac grafisi, telekardiyografi',
    ofChest: 'torakal*',
    bones: 'kosta, kot, kotlar, kaburga*, klavikula*, kopruck*',
    spine: 'vertebra*, omurga, servikal, lomber, lumbosakral, torakolomber',
    other:
      'el bilegi, el grafisi, ayak, ayak bilegi, parmak, dirsek, onkol, omuz, diz, kalca, uyluk, bacak, topuk, ' +
      'karin, batin, adbg, kafa, kranium, waters grafisi, cene, boyun, meme',
  },
  Greek: {
    chest: 'θωραξ, θωρακας, θωρακα, θωρακος, πνευμονες, πνευμονων',
    ofChest: 'θωρακικ*',
    bones: 'πλευρα, πλευρες, πλευρων, στερνο, στερνου, κλειδα, κλειδας',
    spine: 'σπονδυλικη, σπονδυλικης, αυχενικη*, οσφυικη*, οσφυς, σπονδυλ*',
    other:
      'χερι, χειρος, καρπος, καρπου, δακτυλο*, αγκωνας, αγκωνα, ωμος, ωμου, γονατο, γονατος, ισχιο, ισχιου, ' +
      'μηρος, κνημη, ποδοκνημικη*, ποδι, ποδος, λεκανη, λεκανης, κοιλια, κοιλιας, κρανιο, κρανιου, αυχενας, ' +
      'μαστος, μαστων',
  },
  'Russian, Ukrainian, Bulgarian': {
    chest:
      'грудн* клетк*, грудной полости, грудн* клітк*, гк, огк, огп, легкие, легких, легкого, легкое, леген*, ' +
      'флг, флюорограф*, торакс, гръден кош, гръдния кош, бял дроб, бели дробове',
    ofChest: 'грудной, грудного, грудная, легочн*, гръдн*',
    bones: 'ребра, ребер, ребро, грудина, грудины, ключиц*, ключица, стернум, реберн*',
    spine: 'позвоноч*, позвонк*, гоп, шоп, поп, пояснич*, шейный отдел, хребет, хребта, хребту, гръбнак, гръбначен',
    other:
      'кисть, кисти, запяст*, лучезапяст*, палец, пальц*, локоть, локт*, локтев*, предплеч*, плечо, плеча, ' +
      'плечев*, лопатк*, колено, колена, коленн*, коліно, коліна, колінн*, тазобедрен*, бедро, бедра, бедрен*, ' +
      'голень, голени, голеностоп*, стопа, стопы, стопи, пятк*, пяточн*, таз, таза, брюшн*, живот*, черевн*, ' +
      'обп, череп, черепа, черепу, голова, головы, пазух*, ппн, челюст*, шея, шеи, молочн*, маммограф*, зуб, ' +
      'зубов, коляно, корем, длан',
  },
  'Croatian, Serbian, Slovenian': {
    chest:
      'pluca, pljuca, pluca i srce, srce i pluca, prsni kos, prsnog kosa, prsnega kosa, grudni kos, grudnog ' +
      'kosa, плућа, срце и плућа, грудног коша',
    bones: 'rebra, rebara, reber, grudna kost, prsna kost, kljucna kost, prsnica',
    spine: 'kicma, kicme, kraljeznic*, hrbtenic*, кичма, кичме',
    other:
      'saka, sake, zapestje, prsti, lakat, komolec, rame, ramena, koljeno, koljena, kolena, kuk, kukovi, kolk, ' +
      'skocni zglob, glezanj, glezenj, stopalo, stopala, zdjelica, zdjelice, karlica, medenica, trbuh, lubanja, ' +
      'lubanje, lobanja, glava, glave, vrat',
  },
  'Estonian, Latvian, Lithuanian': {
    chest: 'rindkere*, kops, kopsud, kopsude, krusu kurv*, plausas, plausu, krutines last*, plauciai, plauciu',
    spine: 'lulisammas, mugurkaul*, stubur*',
    other:
      'polv, pols, puus, vaagen, kolju, celis, celgalis, plauksta, peda, iegurni*, dubens, kelio, kaukole*, ' +
      'vederdobum*',
  },
  Arabic: {
    chest: 'صدر, صدرية, رئة, رئتين, رئتان, رئوي',
    bones: 'أضلاع, ضلوع, ترقوة, قص',
    spine: 'عمود فقري, فقرات, فقرية, عمود الفقري',
    other:
      'بطن, ركبة, قدم, قدمين, حوض, جمجمة, رأس, كتف, مرفق, كوع, كاحل, معصم, رسغ, فخذ, ورك, أصابع, رقبة, ثدي, يد, يدين',
  },
  Persian: {
    chest: 'قفسه سینه, سینه, ریه, ریه ها',
    spine: 'ستون فقرات, مهره',
    other: 'شکم, زانو, لگن, جمجمه, شانه, آرنج, مچ, گردن, دست',
  },
  Hebrew: {
    chest: 'חזה, ריאות, ריאה',
    bones: 'צלעות, צלע, עצם הבריח, בריח',
    spine: 'עמוד שדרה, עמוד השדרה, עמש, חוליות',
    other: 'בטן, ברך, כף רגל, כף יד, ירך, אגן, גולגולת, ראש, כתף, מרפק, קרסול, שורש כף, אצבע, אצבעות, צוואר, שד',
  },
  Japanese: {
    chest: '胸部, 胸写, 胸正, 胸単, 肺, キョウブ, ムネ',
    bones: '肋骨, 胸骨, 鎖骨, 胸郭',
    spine: '頚椎, 頸椎, 胸椎, 腰椎, 胸腰椎, 脊椎, 脊柱, 仙骨, 尾骨',
    other:
      '腹部, 胸腹部, 骨盤, 股関節, 膝, 手部, 手指, 手関節, 両手, 右手, 左手, 足部, 足関節, 足趾, 両足, 右足, 左足, 肩, 肘, 頭部, 頭蓋, 副鼻腔, 顎, 歯, 乳房, 大腿, ' +
      '下腿, 上腕, 前腕, 踵, 頚部, 頸部, フクブ',
  },
  Chinese: {
    chest: '胸部, 胸片, 胸腔, 胸正位, 胸腹, 心肺, 肺',
    bones: '肋骨, 胸骨, 锁骨, 鎖骨',
    spine: '颈椎, 頸椎, 胸椎, 腰椎, 脊柱, 脊椎, 骶椎',
    other:
      '腹部, 腹平片, 骨盆, 髋, 髖, 膝, 手部, 手掌, 手正, 双手, 雙手, 足部, 足正, 双足, 肩, 肘, 腕, 踝, 跟骨, 头颅, 頭顱, 颅骨, 鼻窦, 鼻竇, 颌, 頜, 牙, 乳腺, ' +
      '股骨, 胫腓, 颈部, 四肢',
  },
  Korean: {
    chest: '흉부, 가슴, 폐',
    bones: '늑골, 갈비뼈, 흉골, 쇄골',
    spine: '경추, 흉추, 요추, 척추, 천추',
    other:
      '복부, 골반, 고관절, 무릎, 슬관절, 손목, 수부, 손가락, 발목, 족부, 발가락, 어깨, 견관절, 팔꿈치, 두개골, 두부, 머리, 부비동, 유방, 대퇴, 하퇴, 상완, 전완, 경부',
  },
  Thai: {
    chest: 'ทรวงอก, ปอด, หน้าอก',
    bones: 'ซี่โครง, ไหปลาร้า',
    spine: 'กระดูกสันหลัง, กระดูกคอ',
    other: 'ช่องท้อง, ท้อง, เข่า, ข้อมือ, มือ, ข้อเท้า, เท้า, เชิงกราน, สะโพก, กะโหลก, ศีรษะ, ไหล่, ข้อศอก, เต้านม',
  },
  Vietnamese: {
    chest: 'nguc, phoi, tim phoi',
    spine: 'cot song, cot song nguc',
    other:
      'o bung, bung, khop goi, goi, ban tay, co tay, ban chan, co chan, khuyu, khop vai, khung chau, khop hang, ' +
      'so nao, so mat',
  },
  'Indonesian, Malay': {
    chest: 'dada, paru, paru paru, thoraks',
    bones: 'tulang rusuk, iga, klavikula',
    spine: 'tulang belakang, vertebrae, vertebra',
    other:
      'tangan, pergelangan*, jari, siku, bahu, lutut, pinggul, panggul, kaki, tumit, perut, tengkorak, kepala, ' +
      'leher, payudara, gigi',
  },
};

type PartKind = keyof PartWords;

/** Characters of a description that are searched; LO holds 64 (PS3.5 table 6.2-1). */
const LONGEST = 400;

/** Lower case without accents; a space for everything that is no letter. */
export function fold(text: string): string {
  if (/^[a-z]*$/.test(text)) return text.slice(0, LONGEST);
  return plainLetters(text.slice(0, LONGEST).toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC'))
    .replace(/[^\p{L}]+/gu, ' ')
    .trim();
}

/** Scripts without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}]/u;
/** Articles and prepositions that Arabic and Hebrew write as prefixes. */
const JOINED: readonly (readonly [RegExp, string])[] = [
  [/\p{sc=Arabic}/u, '(?:و)?(?:ال|لل|بال|ل|ب)?'],
  [/\p{sc=Hebrew}/u, '[והבלמ]{0,2}'],
];

/** Pattern for words of these kinds; the longest wins where several begin at the same place. */
export function wordsOf(...kinds: readonly PartKind[]): RegExp {
  const words = Object.values(BODY_PART_WORDS)
    .flatMap((language) => kinds.flatMap((kind) => language[kind]?.split(',') ?? []))
    .map((word) => word.trim())
    .sort((a, b) => b.length - a.length);
  // One group for each kind of surroundings, as most of the time of preparing a search goes into the tests around a
  // word.
  const groups = new Map<string, string[]>();
  for (const word of new Set(words))
    groups.set(surroundings(word), [...(groups.get(surroundings(word)) ?? []), inner(word)]);
  const searches = [...groups].map(([around, of]) => around.replace(WORD, `(?:${of.join('|')})`));
  return new RegExp(searches.join('|'), 'u');
}

const WORD = 'WORD';

/**
 * Required characters before and after a word. Words with different surroundings are of different scripts and can't
 * compete.
 */
function surroundings(word: string): string {
  if (UNSPACED.test(word)) return WORD;
  const joined = JOINED.find(([script]) => script.test(word))?.[1] ?? '';
  return `(?<!\\p{L})${joined}${WORD}(?!\\p{L})`;
}

/** `kl* p*` matches words with these beginnings; a star inside of a phrase stands for the rest of its word. */
function inner(word: string): string {
  return word
    .split(' ')
    .map((part) => part.split('*').map(fold).join('\\p{L}*'))
    .join(' ');
}
