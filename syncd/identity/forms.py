"""Forms of one forename, in the languages whose short forms lists of English ones do not know."""

from __future__ import annotations

# Each line holds forms of one name that one person goes by. A form of two names stands in both lines; names that
# members of one family bear beside each other (Andreas and Andrea, Anna and Hanna) stand in different lines.
_FORMS_OF_ONE_NAME = """
    katherine catherine kathryn katharine kate katie katy kat kathy cathy kit kitty
    elizabeth elisabeth eliza liz lizzie lizzy beth betty betsy bess libby elsie lisa liza
    james jim jimmy jimmie jamie jem
    deborah debora debra deb debbie debby
    abigail abby abbie gail
    margaret maggie meg peggy peg madge margie
    rebecca becky becca bex
    oliver ollie
    andrew andy drew
    edward ed eddie ned ted teddy
    victoria vicky vicki vikki tori
    charlotte lottie charlie lotte
    theodore theo ted teddy
    patricia pat patty patti trish tricia
    patrick pat paddy
    susan sue susie suzy suzie
    robert bob bobby rob robbie robby bert
    william bill billy will willie willy liam
    richard rick ricky dick rich richie
    jennifer jen jenny jenni jenn
    samuel sam sammy
    samantha sam sammie
    daniel dan danny
    joseph joe joey
    charles charlie chuck chas
    anthony tony ant
    matthew matt matty
    nicholas nick nicky
    kenneth ken kenny
    steven stephen steve stevie
    david dave davey davy
    donald don donny donnie
    ronald ron ronnie
    timothy tim timmy
    gregory greg gregg
    raymond ray
    lawrence larry
    gerald gerry jerry
    henry harry hank hal
    albert al bert bertie
    frederick fred freddie freddy rick
    nathaniel nathan nate nat
    jonathan jon jonny johnny
    john johnny jack jon
    zachary zach zack zac
    joshua josh
    jacob jake
    cynthia cindy
    pamela pam
    dorothy dot dottie dolly
    kimberly kim kimmy
    jessica jess jessie
    barbara barb barbie babs
    judith judy judi
    theresa terry tess tessa
    virginia ginny ginger
    amanda mandy
    jacqueline jackie jacqui
    catherine cate cath

    elisabeth elizabeth lisa elli elly ella lisl liesl lisbeth sissi
    sebastian basti bastian wastl seb
    friederike rieke frieda friedel fritzi
    katharina katarina kathi kati katja kaethe katha trine
    maximilian max maxi
    johannes hannes hans johann jo
    wolfgang wolf wolfi
    alexander alex sascha xander lex alec
    alexandra alex sandra sascha alexa xandra
    andreas andi andy
    andrea andi andy
    stefan stephan steffen steff steffi
    stefanie stephanie steffi steff
    christian chris
    christina christine kristina tina chris christel
    christoph christopher chris stoffel toph
    michael michel michi micha mike mick
    matthias mathias matze hias
    thomas tom tommy tommi
    franziska franzi franka ziska
    franz francis franzl
    josef joseph sepp joe jo jupp
    johanna hanna hanni jo
    joachim jochen achim jo
    heinrich heinz heiner heini
    friedrich fritz frieder friedel fred
    wilhelm willi willy
    ulrich uli ulli
    ulrike uli ulli rike
    susanne susanna susi sanne suse
    barbara babsi baerbel babette barbie barb
    gabriele gabriela gabi gaby
    sabine bine biene
    ursula uschi ulla
    margarete margarethe margareta grete gretel greta marga gretchen
    magdalena magdalene lena leni magda
    helena helene lena leni
    dorothea dorothee doro dora thea
    jacqueline jacky jackie
    manfred manni
    gerhard gerd gert
    guenther guenter
    reinhard reini hardy
    rudolf rudi
    siegfried siggi sigi
    bernhard bernd berni
    tobias tobi
    philipp philip phil lipp
    benjamin ben benni benny
    nikolaus nicolas nikolas niko nico nick klaus
    dominik dominic nik domi
    julia juli jule julchen
    veronika veronica vroni vera nika
    angelika angelica geli angie
    antonia toni tonia
    anton toni antonius
    theresa teresa resi resl tessa
    valentin valli
    leonhard leonard leo hardy lenny
    leopold leo poldi

    zbigniew zbyszek zbych
    grzegorz grzesiek grzes grzesio
    joanna asia joasia aska
    malgorzata gosia malgosia gocha
    agnieszka aga agusia agnes
    katarzyna kasia kaska kasienka
    aleksandra ola olka aleksa sandra
    aleksander alek olek aleks
    krzysztof krzysiek krzys krzysio
    tomasz tomek tomcio
    stanislaw staszek stas stach
    wojciech wojtek wojtus
    andrzej jedrek andrzejek
    jerzy jurek
    tadeusz tadek tadzio
    wladyslaw wladek
    kazimierz kazik kazek
    ryszard rysiek rysio
    piotr piotrek piotrus
    pawel pawelek
    jakub kuba kubus
    mateusz mati
    michal michalek
    marcin marcinek
    przemyslaw przemek
    slawomir slawek
    jaroslaw jarek
    dariusz darek
    mariusz mariuszek
    lukasz lukaszek luki
    bartlomiej bartek
    rafal rafalek
    ewa ewka ewunia
    elzbieta ela elka elzunia
    barbara basia baska
    magdalena magda madzia
    zofia zosia zoska
    anna ania anka andzia
    maria marysia maryska
    jadwiga jadzia
    halina halinka
    danuta danka danusia
    krystyna krysia
    wieslawa wiesia
    teresa tereska renia
    dorota dorotka
    beata beatka
    iwona iwonka
    weronika wera weronka
    natalia nata natalka
    monika monia
    justyna justynka
    karolina karola karolcia
    jan janek jasiek jas
    jozef jozek
    henryk heniek
    zygmunt zygmus
    boguslaw bogus
    miroslaw mirek

    dmitriy dmitry dmitri dmitrij dima mitya
    natalya natalia nataliya natasha nata
    alexander aleksandr alexandr sasha sanya shura
    alexandra aleksandra sasha shura
    alexei alexey aleksey aleksei alyosha lyosha
    ekaterina yekaterina katya katia katerina
    elena yelena lena alyona
    maria mariya masha marusya
    anna anya anyuta
    olga olya
    tatiana tatyana tanya tania
    svetlana sveta
    irina ira irinka
    yuliya yulia iuliia julia yulya
    ludmila lyudmila lyuda mila
    nadezhda nadya nadia
    lyubov lyuba
    vladimir volodya vova
    sergey sergei seryozha serezha
    mikhail michail misha
    ivan vanya
    nikolay nikolai kolya
    pavel pasha
    yevgeny evgeny evgeni evgenij zhenya
    yevgenia evgenia evgeniya zhenya
    konstantin kostya
    anastasia anastasiya nastya
    viktoria viktoriya vika
    grigory grigoriy grisha
    boris borya
    yuri yury iurii yura
    pyotr petr petya
    stepan styopa
    vasily vasiliy vasya
    fyodor fedor fedya
    galina galya
    ksenia kseniya xenia ksyusha
    daria darya dasha
    polina polya
    sofia sofya sonya
    valentina valya
    zinaida zina

    francisco paco pancho kiko fran curro
    francisca paca paqui
    jose pepe chepe
    josefa pepa
    manuel manolo manu
    manuela manoli
    ignacio nacho
    enrique quique kike
    guadalupe lupe
    dolores lola loli
    concepcion concha conchita
    mercedes merche
    rosario charo
    pilar pili
    isabel isa chabela
    guillermo memo guille
    eduardo edu lalo
    alejandro ale alex jandro
    alejandra ale alex
    antonio toni tono
    jesus chus chuy
    rafael rafa
    gregorio goyo
    santiago santi
    vicente chente
    fernando fer nando
    beatriz bea
    consuelo chelo
    teresa tere
    montserrat montse
    remedios reme

    giuseppe beppe peppe pino
    giuseppina pina giusi
    giovanni gianni vanni
    giovanna gianna vanna
    francesco franco checco
    francesca franca checca
    salvatore toto turi
    luigi gigi gino
    vincenzo enzo cenzo
    lorenzo renzo enzo
    alessandro sandro ale
    alessandra sandra ale
    domenico mimmo
    antonio tonino toni
    antonella nella
    leonardo leo nardo
    raffaele lele
    gabriele lele
    michele lino
    elisabetta betta lisa
    margherita rita ghita
    caterina rina cate
    filippo pippo
    edoardo edo
    federico fede
    federica fede
    valentina vale
    valerio vale

    frederic fred
    dominique dom
    catherine cathy katia
    elisabeth babeth lisette
    genevieve ginette
    madeleine mado
    marguerite margot
    jacqueline jackie
    francois fanfan
    francoise fanfan soizic
    guillaume guigui
    sebastien seb
    stephane steph
    stephanie steph
    christophe chris tophe
    philippe phil
    bertrand bebert
    emmanuel manu
    emmanuelle manue
    benjamin benji
    alexandre alex
    maxime max
    nicolas nico
    veronique vero
    valerie val
    caroline caro
    charlotte lolotte
    josephine josette fifi
    antoinette toinette
    theophile theo
    theodore theo
"""
FORMS_OF_ONE_NAME = tuple(tuple(line.split()) for line in _FORMS_OF_ONE_NAME.splitlines() if line.strip())
# Names that lists of short forms take for one another, and families do not.
_TWO_NAMES = """
    anna/anne anna/hannah anna/hanna anne/hannah anne/hanna ann/hannah ann/hanna anna/joanna hannah/joanna hanna/joanna
    john/ian ian/jack robert/william jack/jacqueline andrea/andrew emil/emily emily/emma amy/emily aaron/erin
    nathan/john hannah/susan ann/nancy ann/antonia jan/janet jan/janice jane/janet jane/jean jane/virginia janet/jean
    helen/lena eva/lena ella/lena kathleen/lena gary/jerry patrick/peter sandra/alexander
    lisa/melissa lisa/betty lisa/ella
"""
TWO_NAMES = frozenset(frozenset(pair.split("/")) for pair in _TWO_NAMES.split())

# Names that are no slip of the pen for one that looks alike: Denise and Dennis, Luca and Lucy.
_FORENAMES = """
    adam adrian adriana agata alberto albrecht alessia alessio alfred alfredo alicia alina alois amelie ana anders andre
    andree angelo annika antoine arne arthur astrid august axel bartosz beate bernadette bertha bianca birgit birgitta
    bjorn bogdan bruno camille carina carl carla carlo carlos carmen carol carolyn carsten celine chantal claire clara
    claude claudia claudio claus cornelia cornelius damian daniel daniela danielle dario david denis denise dennis
    detlef diana diego dieter dietmar doris edith eduard elias elina elke ella elsa emil emilia emilie emilio emily emma
    eric erik erika erin ernst erwin esther etienne eugen eugenia eva evelin evelyn fabian fabio felicitas felix
    ferdinand flora florian francine frank gerda gertrud gisela giulia giulio gloria greta guido guy hanna hannah hanne
    hanno harald hedwig heidi heike heiko helga helge helmut henri henriette henrik herbert hermann hilde horst hubert
    hugo ian igor ilona ilse inga inge ingo ingrid irena irene iris isabella jakob jan jana jane janina janine jannik
    jean jeanette jens joan joel joerg jolanta jonas jorge juan juana judith julian juliana julien juliette julio julius
    justin jutta kai karen karin karl karla karsten katrin kathrin kerstin kevin kirsten klara klaus kurt lara lars
    laura laurent laurin lauro lea leandra leandro lena lennart leon leonie liam liana lidia lilian lina linda linus
    lisa liv loretta lothar louis louisa louise luca lucas lucia lucie lucio lucy luis luisa luise luka lukas lutz lydia
    maike malte manon mara marc marcel marcela marcelo marco marcus margit maria marian mariana mariano marie mariella
    marina mario marion marisa marit marius mariusz mark marko markus marlene marta martha martin martina martine
    mathilde maurice mauro melanie melina michaela michal michele mirko miriam mona moritz nadine nele nicola nicole
    nicoletta nils nina noah noel nora norbert norman olaf olga oliver olivia olivier oskar otto pablo paloma pascal
    pascale patricia patricio patrick patrizia paul paula pauline paulina paolo paola pedro petra peter pierre pia
    rafaela raphael ralf ramon ramona raoul regina reiner remo renata renate rene renee ricarda ricardo rita roberta
    roberto rocco roger roland rolf roman romana romy rosa rosalie ruben ruth salvatora samira samuel sandra sandro
    sandrine sara sarah sascha sean serge sergio silke silvia silvio simon simona simone sofie sonja sophia sophie
    stella sven svenja sylvain sylvia sylvie tamara tanja thilo thorsten tilman timo tina torsten udo ursula uta ute uwe
    vera victor victoria viktor vincent viola virginia vivian volker walter waltraud werner wilma xavier xenia yves
    yvette yvonne zoe
"""
FORENAMES = frozenset(_FORENAMES.split())
